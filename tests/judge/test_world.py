"""What the judge can do to a server: kill it between two effects, set its clock, give two servers different things."""

from typing import Any

import pytest

from grading import checks
from grading.checks.url_shortener.codes import Namespace
from grading.checks.workload import Workload
from grading.judge.history import History
from grading.judge.hosting import Host
from grading.judge.plan import Fault, Plan
from grading.judge.world import EPOCH, run

SLOT = "url-shortener/hash-codes"
CLAIMS_TWICE = """
import asyncio, time

class HashCodes:
    def __init__(self, *, base62, random, key):
        self.made = 0
        self.key = key

    async def new_code(self, long_url, namespace):
        self.made += 1
        code = f"{long_url}{self.made:06}"
        try:
            await namespace.claim(code)
            await namespace.claim(code[::-1])
        finally:
            await namespace.claim("zzzzzzz")
        return code
"""


def world(source: str, plan: Plan) -> tuple[History, Namespace]:
    suite = checks.suite(SLOT)
    model = suite.store(plan)
    with Host(source, suite.schema, "<component>") as host:
        history = run(host, plan, model, suite.schema)
    assert isinstance(model, Namespace)
    return history, model


def settings(**more: Any) -> dict[str, Any]:
    return {"servers": 1, "values": {"_key": "k"}, **more}


def test_a_server_dies_between_two_effects_and_starts_with_nothing() -> None:
    s = Workload(1, "crash")
    first = s.call("new_code", "a", at=1.0)
    after = s.call("new_code", "b", at=2.0)
    fault = Fault("server", "crash", 0.5, 9.0, skip=1, count=1)
    history, namespace = world(CLAIMS_TWICE, s.plan(fault, **settings()))
    assert history.calls[first].outcome == "crashed"
    assert history.calls[after].value == "b000001", "the counter was in memory"
    assert namespace.granted(first) == ["a000001", "100000a"], (
        "what was sent arrives; its `finally` reaches nobody"
    )
    assert len(history.crashes) == 1


@pytest.mark.parametrize("skip", range(4))
def test_every_gap_between_effects_can_be_met(skip: int) -> None:
    s = Workload(1, "crash")
    first = s.call("new_code", "a", at=1.0)
    s.call("new_code", "b", at=9.5)
    history, namespace = world(
        CLAIMS_TWICE, s.plan(Fault("server", "crash", 0, 9, skip=skip, count=1), **settings())
    )
    assert history.calls[first].outcome == ("crashed" if skip < 3 else "returned")
    assert len(namespace.granted(first)) == min(skip + 1, 3)


CLOCKS = """
import time

class HashCodes:
    def __init__(self, *, base62, random, key):
        self.key = key

    async def new_code(self, long_url, namespace):
        print(self.key.decode(), time.time(), time.monotonic())
        return "x"
"""


def test_a_clock_is_set_on_one_server_and_only_the_wall_clock() -> None:
    s = Workload(1, "clock")
    s.clock(1, -60.0, at=0.5)
    for server in (0, 1):
        s.call("new_code", "a", server=server, at=1.0 + server)
    suite = checks.suite(SLOT)
    plan = s.plan(servers=2, values={"_key": "k"}, own=({"_key": "one"}, {"_key": "two"}))
    with Host(CLOCKS, suite.schema, "<component>") as host:
        run(host, plan, suite.store(plan), suite.schema)
    lines = [line.split() for line in host.output().splitlines()]
    assert [line[0] for line in lines] == ["one", "two"], "each server is given its own"
    assert [float(line[1]) - EPOCH for line in lines] == [1.0, 2.0 - 60.0]
    assert [float(line[2]) for line in lines] == [1001.0, 1002.0]
