"""What the load reads from the servers' counters meanwhile."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from workbench.loadgen.plan import LoadPlan
from workbench.loadgen.recorder import Recorder
from workbench.loadgen.result import LoadResult
from workbench.loadgen.watch import Reading, Watch
from workbench.stack import Incident, Metrics, Stack, StackError

pytestmark = pytest.mark.anyio


class PretendedStack:
    """Two servers whose counters a test sets."""

    def __init__(self) -> None:
        self.finds: dict[str, float | None] = {"app-1": 5, "app-2": 7}
        self.states: dict[str, str] = {}

    def status(self) -> Any:
        roles = {name: {"kind": "app", "state": self.states.get(name, "up")} for name in self.finds}
        return SimpleNamespace(roles=roles | {"cache": {"kind": "cache", "state": "up"}})

    def metrics(self, role: str) -> Metrics:
        finds = self.finds[role]
        if finds is None:
            raise StackError(f"{role} does not answer")
        return Metrics.parse(
            f'store_operations_total{{operation="find",outcome="ok"}} {finds}\n'
            f'store_operations_total{{operation="insert",outcome="ok"}} 99\n'
            f'cache_commands_total{{command="GET",outcome="ok"}} {finds * 2}\n'
        )


async def test_only_what_was_read_meanwhile_counts_and_a_new_start_is_made_up_for() -> None:
    stack = PretendedStack()
    watch = Watch(cast(Stack, stack))
    seen: list[Reading] = []

    async def read(**finds: float | None) -> float:
        stack.finds |= {name.replace("_", "-"): n for name, n in finds.items()}
        await watch.read(0.0, seen.append)
        return seen[-1].store_reads

    assert await read() == 0
    assert await read(app_1=8) == 3
    assert await read(app_2=None) == 3  # it is away just now
    assert await read(app_1=2, app_2=9) == 3 + 2 + 2  # app-1 started again and counts from 0
    assert seen[-1].cache_commands == 14
    restarted, other = watch.servers["app-1"], watch.servers["app-2"]
    assert (restarted.store_reads, restarted.restarted) == (5, True)
    assert "restarted" in str(restarted)
    assert (other.store_reads, other.restarted) == (2, False)


async def test_a_server_that_is_just_starting_again_is_said_to_be() -> None:
    stack = PretendedStack()
    watch = Watch(cast(Stack, stack))
    await watch.read(0.0, lambda _: None)
    stack.states["app-2"] = "restarting"
    await watch.read(0.0, lambda _: None)
    assert {name: work.restarted for name, work in watch.servers.items()} == {"app-1": False, "app-2": True}


def test_incidents_stand_below_the_result() -> None:
    told = Incident(0.0, "app-2", "blocked", "its event loop stood still", "a/b", 4, "    while True: ...")
    assert "line 4: while True: ..." in replace(result(), incidents=(told,)).text()


def result(*readings: Reading) -> LoadResult:
    plan = LoadPlan("http://127.0.0.1:80", ("a",))
    summary = Recorder().summary() | {"statuses": {302: 100}}
    return LoadResult(plan=plan, seconds=4.0, stopped=False, series=(), readings=readings, **summary)


def test_rates_between_two_moments_are_taken_from_the_readings_around_them() -> None:
    found = result(Reading(0.0, 0, 0), Reading(2.0, 10, 0), Reading(3.0, 60, 0), Reading(4.0, 70, 0))
    assert found.store_rate() == pytest.approx(17.5)
    assert found.store_rate(0.5, 1.5) == pytest.approx(5)
    assert found.store_rate(2.0, 3.0) == pytest.approx(50)
    assert found.store_rate(2.5, 3.5) == pytest.approx(30)
    assert found.store_rate(2.0, 99.0) == pytest.approx(30)
    assert found.hit_rate == pytest.approx(0.3)
    with pytest.raises(ValueError, match=r"watched from 0\.0 to 4\.0 s"):
        found.store_rate(5.0, 6.0)


def test_without_readings_there_is_no_hit_rate() -> None:
    found = result()
    assert found.hit_rate is None
    with pytest.raises(ValueError, match="load a stack"):
        found.store_rate()
