"""What is asked of the component: one function per scenario, from a seed to a plan."""

from __future__ import annotations

from typing import Any

from grading.checks.url_shortener.codes import ALPHABET, LENGTH
from grading.checks.workload import LONG, Workload
from grading.judge.plan import Fault, Plan

UNUSED = "pool:unused"
AWAY = ("refuse", "error", "silent", "no-answer", "late")
"""Ways in which the pool is away: no command that is sent gets an answer that is of use."""
STORE_FAILS = ("unavailable", "timeout", "no-answer", "late")
MANY = 24
APPS = ("app-1", "app-2", "app-3")


def script(seed: int, name: str) -> Workload:
    return Workload(seed, f"key-pool {name}")


def settings(s: Workload, *, batch: int = 5, low_water: int = 20) -> dict[str, Any]:
    return {"values": {"_key": s.secret(32), "batch": batch, "low_water": low_water}}


def url(s: Workload) -> str:
    return f"https://site{s.random.randrange(1000)}.example/page/{s.random.randrange(10**9)}"


def link(s: Workload, server: int, at: float, role: str = "") -> str:
    """Somebody asks for a code."""
    return s.call("new_code", url(s), server=server, at=at, role=role)


def put(s: Workload, count: int, at: float, *, needed: bool = True) -> list[str]:
    """So many fresh codes are in the pool from then on. `needed`: a run without them shows nothing."""
    codes = ["".join(s.random.choices(ALPHABET, k=LENGTH)) for _ in range(count)]
    name = f"put {len(s.ops)}"
    text = "a code is put into the pool" if count == 1 else f"{count} codes are put into the pool"
    s.redis("SADD", UNUSED, *codes, at=at, name=name, text=text)
    s.facts.setdefault("put", {})[name] = codes
    if needed:
        need(s, name)
    return codes


def draw(s: Workload, count: int, at: float) -> str:
    """Others take so many codes out of the pool."""
    name = f"draw {len(s.ops)}"
    s.redis("SPOP", UNUSED, count, at=at, name=name, text=f"others take up to {count} codes out of the pool")
    s.facts.setdefault("drawn", []).append(name)
    return name


def look(s: Workload, at: float) -> str:
    name = f"look {len(s.ops)}"
    s.redis("SMEMBERS", UNUSED, at=at, name=name, text="the judge looks into the pool")
    s.facts.setdefault("looks", []).append(name)
    return name


def count(s: Workload, name: str, at: float) -> None:
    s.redis("SCARD", UNUSED, at=at, name=name, text="the judge counts the codes in the pool")


def need(s: Workload, *names: str) -> None:
    """A run without these operations shows nothing."""
    s.facts.setdefault("needed", []).extend(names)


def numbers(s: Workload, size: int) -> None:
    """How many are allotted at once, and from where on."""
    s.facts.update(range=size, first=s.random.randrange(10**9))


def pool_fault(s: Workload, mode: str, start: float, end: float, **more: Any) -> Fault:
    return Fault("pool", mode, start, end, delay=s.between(1, 3) if mode == "late" else 0.5, **more)


# --- app servers


def made_and_handed_out(seed: int) -> Plan:
    """A generator fills the pool, and two servers hand codes out."""
    s = script(seed, "form")
    numbers(s, 50)
    need(s, s.call("generate", server=2, at=0.0))
    look(s, 1.0)
    for index in range(6):
        link(s, index % 2, 2.0 + 0.1 * index)
    return s.plan(names=("app-1", "app-2", "generator-1"), **settings(s, low_water=75))


def aliases_in_the_way(seed: int) -> Plan:
    """Nearly half the codes of the pool are aliases; some more become so just before they are claimed."""
    s = script(seed, "claimed")
    codes = put(s, 80, 0.0)
    s.facts["aliases"] = s.random.sample(codes, 36)
    races: dict[str, int] = {}
    for index in range(10):
        name = link(s, s.random.randrange(3), 1.0 + 0.5 * (index // 5))
        if s.random.random() < 0.2:
            races[name] = 1
    s.facts["races"] = races
    look(s, 3.0)
    return s.plan(names=APPS, **settings(s, batch=4))


def three_servers_at_once(seed: int) -> Plan:
    """A small pool and callers on three servers at the same moment: there is not enough for all."""
    s = script(seed, "once")
    put(s, 16, 0.0)
    for _ in range(4):
        for server in range(3):
            link(s, server, 1.0)
    look(s, 2.0)
    put(s, 12, 3.0, needed=False)
    for _ in range(2):
        for server in range(3):
            link(s, server, 4.0)
    look(s, 5.0)
    return s.plan(names=APPS, **settings(s, batch=4))


def answers_are_lost(seed: int) -> Plan:
    """Some commands of each server meet a failing pool: they are not done, or done and not answered, or done late."""
    s = script(seed, "once-failure")
    put(s, 40, 0.0)
    for server in range(2):
        meanwhile = sorted(s.between(1.0, 4.0) for _ in range(8))
        later = sorted(s.between(8.0, 9.0) for _ in range(5))
        for at in [0.5, *meanwhile, *later]:
            link(s, server, at)
    look(s, 7.0)
    look(s, 20.0)
    done = ("no-answer", "late", "slow")[seed % 3]
    not_done = ("silent", "silent", "error")[seed % 3]
    faults = [
        pool_fault(
            s, mode, 0.9, 4.5, servers=(server,), skip=(1, 1, 0)[seed % 3], count=s.random.randint(1, 2)
        )
        for server, mode in enumerate([done, not_done])
    ]
    return s.plan(*faults, servers=2, names=APPS[:2], **settings(s, batch=3))


def one_after_the_other(seed: int) -> Plan:
    s = script(seed, "batches")
    batch = s.random.randint(5, 7)
    put(s, MANY + 3 * batch, 0.0)
    for index in range(MANY):
        link(s, 0, 1.0 + 0.05 * index)
    look(s, 4.0)
    return s.plan(servers=1, names=APPS[:1], batch=True, **settings(s, batch=batch))


def a_long_shift(seed: int) -> Plan:
    s = script(seed, "long-shift")
    many, batch = s.random.randint(*LONG), s.random.randint(20, 30)
    put(s, many + 4 * batch, 0.0)
    for index in range(many):
        link(s, index % 40 == 39, 1.0 + 0.05 * index)
    look(s, 20.0)
    return s.plan(servers=2, names=APPS[:2], batch=True, **settings(s, batch=batch))


def a_burst(seed: int) -> Plan:
    s = script(seed, "burst")
    put(s, 150, 0.0)
    for _ in range(15):
        link(s, 0, 1.0)
    look(s, 1.5)
    for _ in range(s.random.randint(5, 9)):
        link(s, 0, 2.0)
    look(s, 3.0)
    return s.plan(servers=1, names=APPS[:1], **settings(s, batch=8))


def a_server_dies(seed: int) -> Plan:
    """At some moment, or at the moment at which it sends something."""
    s = script(seed, "crash")
    put(s, 70, 0.0)
    for index in range(8):
        link(s, 0, 1.0 + 0.2 * (index // 2))
    faults = []
    if seed % 2:
        at = s.random.choice([s.between(1.0, 1.01), s.between(1.3, 1.9)])
        look(s, at)
        s.crash(0, at)
    else:
        faults.append(Fault("server", "crash", 1.0, 2.0, skip=s.random.randint(0, 6), count=1))
    look(s, 2.5)
    for index in range(6):
        link(s, 0, 3.0 + 0.2 * (index // 2))
    look(s, 5.0)
    return s.plan(*faults, servers=1, names=APPS[:1], **settings(s, batch=5))


def the_batch_is_left(seed: int) -> Plan:
    """The pool goes away after the server has taken a batch; there are as many callers as codes left, and one more."""
    s = script(seed, "pool-away")
    batch = s.random.randint(4, 7)
    put(s, 60, 0.0)
    need(s, link(s, 0, 0.5, role="first"))
    for index in range(batch - 1):
        link(s, 0, 2.0 + 0.6 * index, role="held")
    link(s, 0, 10.0, role="beyond")
    mode = AWAY[seed % len(AWAY)]
    return s.plan(pool_fault(s, mode, 1.0, 20.0), servers=1, names=APPS[:1], **settings(s, batch=batch))


def the_pool_is_dry(seed: int) -> Plan:
    """Nothing in it at first; then a few codes, fewer than are asked for; then enough."""
    s = script(seed, "dry")
    link(s, 0, 0.5, role="dry")
    put(s, s.random.randint(1, 3), 1.0, needed=False)
    for index in range(5):
        link(s, index % 2, 2.0 + 0.5 * (index // 3), role="few")
    link(s, 0, 5.0, role="few")
    s.facts["until"] = 20.0
    put(s, 40, 20.0)
    for index in range(4):
        link(s, index % 2, 35.0 + 0.2 * index, role="after")
    return s.plan(servers=2, names=APPS[:2], **settings(s, batch=5))


def the_pool_is_away(seed: int) -> Plan:
    """Before anybody has a batch: one caller, then a burst; then it is back."""
    s = script(seed, "away")
    put(s, 120, 0.0)
    link(s, 0, 2.0, role="away")
    for _ in range(3):
        link(s, 0, 4.0, role="away")
    s.facts["until"] = 20.0
    for index in range(4):
        link(s, 0, 35.0 + 0.2 * index, role="after")
    mode = AWAY[(seed + 2) % len(AWAY)]
    return s.plan(pool_fault(s, mode, 0.0, 20.0), servers=1, names=APPS[:1], **settings(s, batch=5))


def store_fails(seed: int) -> Plan:
    """In one of four ways, in the middle of the attempts of some; then it is back."""
    s = script(seed, "store-failure")
    codes = put(s, 60, 0.0)
    s.facts["aliases"] = s.random.sample(codes, 15)
    for index in range(5):
        link(s, index % 2, 1.0 + 0.7 * index)
    look(s, 20.0)
    for index in range(2):
        link(s, index, 30.0 + index)
    fault = Fault(
        "store",
        STORE_FAILS[seed % 4],
        0.9,
        6.0,
        delay=s.between(1.5, 4),
        skip=s.random.randint(0, 1),
        count=s.random.randint(1, 3),
    )
    return s.plan(fault, servers=2, names=APPS[:2], **settings(s, batch=5))


def callers_leave(seed: int) -> Plan:
    """The one who came first leaves while all wait for a batch, or for the store; later another one."""
    s = script(seed, "cancellation")
    put(s, 90, 0.0)
    names = [link(s, 0, round(1.0 + 0.001 * index, 3)) for index in range(5)]
    s.cancel(names[0], s.between(1.006, 1.1))
    link(s, 0, 2.0)
    later = [link(s, 0, 3.0) for _ in range(6)]
    for name in s.random.sample(later, 2):
        s.cancel(name, s.between(3.0005, 3.1))
    for _ in range(5):
        link(s, 0, 4.0)
    look(s, 6.0)
    waits = [Fault("pool", "slow", 0.9, 1.5, delay=0.15), Fault("store", "slow", 2.9, 3.5, delay=0.15)]
    return s.plan(*waits, servers=1, names=APPS[:1], **settings(s, batch=4))


# --- generators


def levels(seed: int) -> Plan:
    """A pool with none, too few, just enough and more than enough, each for itself."""
    s = script(seed, "fills-up")
    low = 20
    numbers(s, s.random.choice([6, 9, 30]))
    rounds: list[list[Any]] = []
    found = [0, low - 1, low, s.random.randint(low + 1, 2 * low - 1)]
    s.random.shuffle(found)
    for index, level in enumerate(found):
        at = 1.0 + 2 * index
        s.redis("DEL", UNUSED, at=at, name=f"empty {index}", text="the pool is emptied")
        if level:
            put(s, level, at + 0.1, needed=False)
        before, after = f"size before {index}", f"size after {index}"
        count(s, before, at + 0.2)
        call = s.call("generate", at=at + 0.3, name="generator")
        count(s, after, at + 1.5)
        rounds.append([call, before, after])
    s.facts["rounds"] = rounds
    return s.plan(servers=1, names=("generator-1",), **settings(s, low_water=low))


def filling_fails(seed: int) -> Plan:
    """The pool fails while it is filled; then, when it is empty again, the ranges do; then all is well."""
    s = script(seed, "filling-fails")
    numbers(s, s.random.choice([15, 60]))
    rounds: list[list[Any]] = []
    for index, at in enumerate([1.0, 30.0, 60.0]):
        before, after = f"size before {index}", f"size after {index}"
        s.redis("DEL", UNUSED, at=at - 0.5, name=f"empty {index}", text="the pool is emptied")
        count(s, before, at)
        call = s.call("generate", at=at + 0.1, name="generator")
        count(s, after, at + 19.0)
        rounds.append([call, before, after])
    s.facts["rounds"] = rounds
    mode = STORE_FAILS[seed % len(STORE_FAILS)]
    faults = (
        pool_fault(s, AWAY[seed % len(AWAY)], 0.9, 20.0, skip=s.random.randint(0, 1)),
        Fault("ranges", mode, 29.9, 50.0, delay=s.between(1.5, 4), skip=seed % 2),
    )
    return s.plan(*faults, servers=1, names=("generator-1",), **settings(s))


def drawn_and_filled(seed: int) -> Plan:
    """Two generators fill, alone and at once, what others take out."""
    s = script(seed, "never-again")
    numbers(s, s.random.choice([5, 6, 7]))
    together = s.random.randrange(4)
    for index in range(4):
        at = 1.0 + index
        s.call("generate", server=index % 2, at=at, name="generator")
        if index == together:
            s.call("generate", server=1 - index % 2, at=at, name="generator")
        look(s, at + 0.5)
        draw(s, s.random.randint(15, 30), at + 0.6)
    return s.plan(servers=2, names=("generator-1", "generator-2"), **settings(s, low_water=10))


def answers_to_fillings_are_lost(seed: int) -> Plan:
    """An addition is done without an answer, or arrives late, while others take codes out."""
    s = script(seed, "never-again-failure")
    numbers(s, 50)
    for at in (1.0, 2.0, 8.0, 9.0):
        s.call("generate", at=at, name="generator")
    for at in (1.1, 1.6, 2.5, 8.5):
        draw(s, 15, at)
    look(s, 7.0)
    look(s, 8.7)
    look(s, 14.0)
    mode = ("no-answer", "late", "slow")[seed % 3]
    fault = Fault(
        "pool",
        mode,
        0.9,
        1.9,
        delay=s.between(2.0, 4.0),
        skip=(1, 1, 1, 2)[seed % 4],
        count=s.random.randint(1, 2),
    )
    return s.plan(fault, servers=1, names=("generator-1",), **settings(s))


def generators_die(seed: int) -> Plan:
    """At each of the moments at which they send something, one after the other, while others take codes out."""
    s = script(seed, "never-again-crash")
    numbers(s, 50)
    skips = s.random.sample([1, 2, 2, 3, 3, 4], 6)
    faults = []
    for index in range(3):
        at = 1.0 + 4 * index
        for server in range(2):
            begin = at + 2 * server
            s.call("generate", server=server, at=begin, name="generator")
            draw(s, 20, begin + 0.2)
            s.call("generate", server=server, at=begin + 0.5, name="generator")
            look(s, begin + 1.0)
            draw(s, 60, begin + 1.1)
            skip = skips[2 * index + server]
            faults.append(
                Fault("server", "crash", begin - 0.1, begin + 1.9, servers=(server,), skip=skip, count=1)
            )
    return s.plan(*faults, servers=2, names=("generator-1", "generator-2"), **settings(s))


def same_numbers(seed: int) -> Plan:
    """Three generators get the same numbers, each in a world of its own; the third one has another key."""
    s = script(seed, "same-numbers")
    numbers(s, 40)
    s.facts["replay"] = True
    key, other = s.secret(32), s.secret(32)
    for server in range(3):
        at = 1.0 + server
        s.redis(
            "DEL",
            UNUSED,
            at=at,
            name=f"empty {server}",
            text="a new world: the pool is empty, all numbers are free",
        )
        s.call("generate", server=server, at=at + 0.1, name="generator")
        look(s, at + 0.9)
    own = ({"_key": key}, {"_key": key}, {"_key": other})
    return s.plan(names=("generator-1", "generator-2", "generator-3"), own=own, **settings(s))
