"""What is asked of the component: one function per scenario, from a seed to a plan."""

from __future__ import annotations

from typing import Any

from grading.checks.url_shortener.snowflake_codes.world import LEASE_SECONDS
from grading.checks.workload import Workload
from grading.judge.plan import Fault, Plan

LEASES = "lease table"
LENGTHS = {"short": 7, "standard": 11}
MANY = 240
BURST = 160
NEIGHBOURS = 20
GROUPS, TOGETHER = 15, 4
AWAY = LEASE_SECONDS + 5
"""Seconds after which every lease of a server that died, or heard nothing, has run out."""
LONG_AFTER = 150.0
"""Seconds after a takeover: whatever was reserved ahead is past by then."""
WRAP = 2**29 / 1000
"""Seconds in which 29 bits of milliseconds run over: 6 days."""


def script(seed: int, name: str) -> Workload:
    return Workload(seed, f"snowflake-codes {name}")


def url(s: Workload) -> str:
    return f"https://site{s.random.randrange(1000)}.example/page/{s.random.randrange(10**9)}"


def given(s: Workload, layout: str = "short") -> dict[str, Any]:
    """What the component is constructed with."""
    return {"values": {"_key": s.secret(32), "layout": layout}}


def ask(s: Workload, at: float, server: int = 0, count: int = 1, role: str = "") -> list[str]:
    """So many callers at one moment."""
    return [s.call("new_code", url(s), server=server, at=at, role=role) for _ in range(count)]


def some_codes(seed: int) -> Plan:
    """Now and then a code, in one of the two layouts."""
    s = script(seed, "form")
    for index in range(8):
        ask(s, round(0.31 * index, 6))
    return s.plan(servers=1, **given(s, "standard" if seed % 2 else "short"))


def aliases(seed: int) -> Plan:
    """On some codes there sits an alias already, on others it is put just before the claim; up to four in a row."""
    s = script(seed, "claimed")
    collisions: dict[str, int] = {}
    races: dict[str, int] = {}
    for index in range(6):
        (name,) = ask(s, 0.4 * (index // 3))
        (collisions if index % 2 else races)[name] = s.random.randint(0 if index > 3 else 1, 4)
    s.facts |= {"collisions": collisions, "races": races}
    layout = s.random.choice(["short", "standard"])
    return s.plan(servers=1, **given(s, layout))


def servers_at_once(seed: int) -> Plan:
    """Two servers, each with several callers at the same moment; and again when what they reserved is past."""
    s = script(seed, "unique")
    for at in (1.0, 9.0):
        for server in range(2):
            ask(s, at, server, s.random.randint(2, 4))
    return s.plan(servers=2, **given(s, "standard" if seed % 2 else "short"))


def days_later(seed: int) -> Plan:
    """The same moments of a second again, days later: the server's clock is set forward."""
    s = script(seed, "days later")
    pattern = [s.between(1.0, 3.0) for _ in range(3)]
    for at in pattern:
        ask(s, at)
    s.clock(0, WRAP - 10.0, 8.0)
    for at in pattern:
        ask(s, at + 10.0)
    return s.plan(servers=1, **given(s))


def many_codes(seed: int) -> Plan:
    s = script(seed, "many forms")
    for second in range(5):
        ask(s, 1.0 + second, count=MANY // 5)
    return s.plan(servers=1, batch=True, **given(s))


def burst(seed: int) -> Plan:
    """More codes in one second than its sequence has numbers, by two servers with neighbouring worker numbers; then the
    next second."""
    s = script(seed, "burst")
    s.facts["workers"] = 2
    for server in range(2):
        ask(s, 0.5, server)
    at = s.between(1.05, 1.4)
    for index in range(4):
        for server in range(2):
            ask(s, round(at + 0.03 * index, 6), server, count=BURST // 4)
    for server in range(2):
        ask(s, at + 1.0, server, count=5)
    return s.plan(servers=2, batch=True, **given(s))


def clock_steps_back(seed: int) -> Plan:
    """By a second; by a few; by an hour; and it is set right again."""
    s = script(seed, "clock-back")
    for at in (1.0, 1.6, 2.1, 3.3, 4.0):
        ask(s, at + s.between(0.0, 0.2))
    s.clock(0, -s.between(0.6, 1.0), 4.3)
    for at in (4.35, 4.6, 5.0):
        ask(s, at, role="small")
    some = s.between(2.5, 5.0)
    s.clock(0, -some, 5.5)
    for at in (5.6, 6.4, 7.2):
        ask(s, at)
    s.clock(0, -3600.0, 9.0)
    ask(s, s.between(9.1, 10.0))
    s.clock(0, 3600.0 + some, 25.0)
    ask(s, 32.0, role="after")
    return s.plan(servers=1, **given(s))


def taken_over(seed: int) -> Plan:
    """The server dies in the middle of its work; 35 s later it is started elsewhere, on a machine whose clock is so far
    behind that it shows the seconds of its first life once more. Of every second seed the leases fail before that."""
    return lived_twice(
        seed, ("timeout", "unavailable", "late", "no-answer")[seed // 2 % 4] if seed % 2 else ""
    )


def renewals_time_out(seed: int) -> Plan:
    """The same; before the server dies no renewal happens. Whoever takes a time-out for a yes has reserved nothing."""
    return lived_twice(seed, "timeout", dies=True)


def lived_twice(seed: int, mode: str, dies: bool = False) -> Plan:
    """`mode`: in which the leases fail, while the server lives on; empty: they do not, and it dies amid its work.
    `dies`: it dies all the same, at the end of its work."""
    s = script(seed, "takeover")
    pattern = [1.0]
    while pattern[-1] < 6.0:
        pattern.append(round(pattern[-1] + s.between(0.25, 0.6), 6))
    for at in pattern:
        ask(s, at)
    skip = 3 + s.random.randrange(len(pattern))
    s.crash(0, 8.0 + AWAY - 0.5)
    s.clock(0, -(8.0 + AWAY), 8.0 + AWAY - 0.4)
    for at in pattern:
        ask(s, round(at + 8.0 + AWAY, 6))
    ask(s, 8.0 + AWAY + LONG_AFTER, role="after")
    faults = [Fault("server", "crash", 0.0, 8.0, servers=(0,), skip=skip, count=1)]
    if mode:
        faults = [Fault(LEASES, mode, s.between(1.6, 3.0), 12.0, delay=s.between(1.5, 3.0))]
    if dies:  # also one that asks for nothing while the leases fail, and holds its lease by a heartbeat
        faults.append(Fault("server", "crash", pattern[-1], 7.5 + AWAY, servers=(0,), count=1))
    return s.plan(*faults, servers=1, **given(s))


def lease_is_lost(seed: int) -> Plan:
    """app-1 cannot reach the lease table until its lease has run out and app-2 has taken its number."""
    s = script(seed, "lease-lost")
    ask(s, 1.0)
    ask(s, 1.4)
    for index in range(5):
        ask(s, AWAY + 1.2 * index, server=1)
    ask(s, AWAY + 1.5, role="away")
    s.crash(1, AWAY - 0.5)  # it is started now, and has no number from before
    for at in (3.9, 4.5, 5.1):
        ask(s, AWAY + at, role="back")
    ask(s, AWAY + 20.0, role="after")
    mode = ("unavailable", "timeout")[seed % 2]
    return s.plan(Fault(LEASES, mode, s.between(2.0, 2.5), AWAY + 3.0, servers=(0,)), servers=2, **given(s))


def none_is_free(seed: int) -> Plan:
    """One worker number, two servers; then the one that has the number dies."""
    s = script(seed, "no-number")
    s.facts["workers"] = 1
    ask(s, 1.0, 0)
    ask(s, s.between(2.0, 4.0), 1, count=2)
    s.crash(0, 8.0)
    ask(s, 8.0 + AWAY + 1.0, 1, role="after")
    return s.plan(servers=2, **given(s))


def leases_fail(seed: int) -> Plan:
    """The lease table fails when the server asks for its number, or for its first moments."""
    s = script(seed, "no-number failing")
    ask(s, 1.0, count=s.random.randint(1, 2))
    ask(s, s.between(1.3, 1.9))
    ask(s, 12.0, role="after")
    mode = ("timeout", "no-answer", "unavailable")[seed % 3]
    fault = Fault(LEASES, mode, 0.0, 5.0, skip=seed // 3 % 2)
    return s.plan(fault, servers=1, **given(s))


def callers_leave(seed: int) -> Plan:
    """Several callers wait for the lease table, which is slow, and the first of them leaves; so once more later."""
    s = script(seed, "cancellation")
    for at in (1.0, 7.0):
        names = ask(s, at, count=3)
        s.cancel(names[0], s.between(at + 0.05, at + 0.25))
        s.cancel(names[s.random.randint(1, 2)], s.between(at + 0.05, at + 0.7))
        ask(s, s.between(at + 0.1, at + 0.5))
        ask(s, at + 3.0)
    return s.plan(Fault(LEASES, "slow", 0.0, 12.0, delay=0.3), servers=1, **given(s))


def neighbours(seed: int) -> Plan:
    """One caller after another."""
    s = script(seed, "guess")
    for index in range(NEIGHBOURS):
        ask(s, round(1.0 + 0.1 * index, 6))
    return s.plan(servers=1, batch=True, **given(s, "standard" if seed % 2 else "short"))


def two_keys(seed: int) -> Plan:
    """Two installations that have different keys make their codes at the same moments, with the same worker number."""
    s = script(seed, "two keys")
    s.facts["apart"] = True
    for index in range(2):
        for server in range(2):
            ask(s, 1.0 + index, server)
    values = given(s)["values"]
    own = tuple({"_key": s.secret(32)} for _ in range(2))
    return s.plan(servers=2, values=values, own=own, calm=True)


def steady(seed: int) -> Plan:
    """Sixty codes in eight seconds, four at a time."""
    s = script(seed, "cost")
    for index in range(GROUPS):
        ask(s, round(1.0 + 0.5 * index + s.between(0.0, 0.2), 6), count=TOGETHER)
    return s.plan(servers=1, batch=True, **given(s, "standard"))
