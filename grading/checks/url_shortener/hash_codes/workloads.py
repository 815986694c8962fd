"""What is asked of the component: one function per scenario, from a seed to a plan."""

from __future__ import annotations

from typing import Any

from grading.checks.workload import Workload
from grading.judge.plan import Fault, Plan

AWKWARD = (
    "https://example.org/",
    "https://münchen.example/straße?größe=ß",
    "https://例え.example/パス#断片",
    "https://example.org/emoji/😀?z=🧵",
    "https://example.org/long/" + "x" * 1990,
    "https://example.org/%E4%BD%A0?x=%2520",
    "http://example.org/a;b=c,d/(e)'f'!*~",
)
MANY = 300
TO_ONE_URL = 60


def script(seed: int, name: str) -> Workload:
    return Workload(seed, f"hash-codes {name}")


def url(s: Workload) -> str:
    return f"https://site{s.random.randrange(1000)}.example/page/{s.random.randrange(10**9)}"


def key(s: Workload) -> dict[str, Any]:
    return {"values": {"_key": s.secret(32)}}


def awkward_urls(seed: int) -> Plan:
    """Each alone, on some server."""
    s = script(seed, "form")
    for index, long_url in enumerate([*s.random.sample(AWKWARD, 5), *(url(s) for _ in range(15))]):
        s.call("new_code", long_url, server=s.random.randrange(3), at=0.1 * index)
    return s.plan(**key(s))


def many_at_once(seed: int) -> Plan:
    """Callers for one URL and for others at the same moment, on all servers; some codes are taken just in time."""
    s = script(seed, "claimed")
    popular = url(s)
    races: dict[str, int] = {}
    for index in range(18):
        at = 0.5 * (index // 6)
        name = s.call("new_code", popular if index % 2 else url(s), server=s.random.randrange(3), at=at)
        if s.random.random() < 0.4:
            races[name] = s.random.randint(1, 2)
    s.facts["races"] = races
    return s.plan(**key(s))


def many_urls(seed: int) -> Plan:
    """Most of them on app-1, which so has made far more than a hundred codes in the end."""
    s = script(seed, "whole-space")
    for index in range(MANY):
        s.call("new_code", url(s), server=s.random.choice((0, 0, 1, 2)), at=0.05 * (index // 60))
    return s.plan(batch=True, **key(s))


def two_keys(seed: int) -> Plan:
    """The same URLs under two keys: app-2 has another one than app-1, in a namespace of its own."""
    s = script(seed, "secret")
    for index in range(6):
        long_url = url(s)
        for server in range(2):
            s.call("new_code", long_url, server=server, at=index + 0.4 * server)
    own = ({"_key": s.secret(32)}, {"_key": s.secret(32)})
    return s.plan(servers=2, values={"_key": s.secret(32)}, own=own)


def links_to_one_url(seed: int) -> Plan:
    s = script(seed, "same-url")
    long_url = url(s)
    together = s.random.choice([1, 2, 5])
    for index in range(TO_ONE_URL):
        s.call("new_code", long_url, server=s.random.randrange(3), at=0.1 * (index // together))
    return s.plan(batch=True, **key(s))


def collisions_in_a_row(seed: int) -> Plan:
    """Seven are survived; with a hundred, it gives up."""
    s = script(seed, "collisions")
    few = s.call("new_code", url(s), at=0.0, role="few")
    mid = s.call("new_code", url(s), at=2.0, server=1, role="few")
    many = s.call("new_code", url(s), at=4.0, server=s.random.randrange(3), role="many")
    s.facts["collisions"] = {few: 7, mid: s.random.randint(1, 6), many: 100}
    return s.plan(**key(s))


def store_fails(seed: int) -> Plan:
    """In one of four ways, in the middle of the attempts of some; then it is back."""
    s = script(seed, "store-failure")
    mode = ("unavailable", "timeout", "no-answer", "late")[seed % 4]
    collisions: dict[str, int] = {}
    for index in range(4):
        name = s.call("new_code", url(s), server=index % 3, at=1.0 + 0.7 * index)
        if s.random.random() < 0.5:
            collisions[name] = s.random.randint(1, 2)
    s.facts["collisions"] = collisions
    for index in range(2):
        s.call("new_code", url(s), server=index, at=30.0 + index, role="after")
    fault = Fault(
        "store",
        mode,
        0.9,
        6.0,
        delay=s.between(1.5, 4),
        skip=s.random.randint(0, 1),
        count=s.random.randint(1, 3),
    )
    return s.plan(fault, **key(s))


def one_leaves(seed: int) -> Plan:
    """Callers for one URL on one server; one of them is cancelled in the middle, or the server dies."""
    s = script(seed, "claimed-cancelled")
    long_url = url(s)
    names = [s.call("new_code", long_url, server=0, at=1.0) for _ in range(4)]
    s.cancel(names[s.random.randrange(4)], s.between(1.0005, 1.01))
    s.call("new_code", long_url, server=0, at=2.0)
    s.call("new_code", long_url, server=1, at=2.0)
    s.crash(1, s.between(2.0005, 2.01))
    s.call("new_code", long_url, server=1, at=3.0)
    return s.plan(**key(s))
