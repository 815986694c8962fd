"""A keeper: jobs that fail begin anew, and its commands."""

import asyncio
from typing import Any

import pytest

from reference.platform.holders import Holders
from reference.platform.http_server import HttpServer
from reference.platform.live import Live
from reference.platform.logs import JsonLog
from reference.platform.metrics import Metrics
from reference.platform.metrics_page import metrics_page
from reference.platform.settings import LiveSettings
from reference.shortener.keeper_server import KeeperServer
from tests.unit.reference.conftest import FakeClock

pytestmark = pytest.mark.anyio


class Stubborn:
    """Fails twice, and then works for ever."""

    def __init__(self) -> None:
        self.begun = 0
        self.working = asyncio.Event()

    async def run(self) -> None:
        self.begun += 1
        if self.begun < 3:
            raise RuntimeError("not yet")
        self.working.set()
        await asyncio.Event().wait()


async def test_a_job_that_fails_begins_anew_and_the_keeper_takes_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job, closed = Stubborn(), asyncio.Event()

    async def double(args: dict[str, Any]) -> int:
        return 2 * int(args["of"])

    async def close() -> None:
        closed.set()

    keeper = KeeperServer(
        http=HttpServer(metrics_page(Metrics()), "127.0.0.1", 0),
        holders=Holders([]),
        jobs={"stubborn": job},
        commands={"double": double},
        health=lambda: {"moved": 3},
        close=close,
        clock=FakeClock(),
        record=JsonLog("keeper-1"),
        live=Live(LiveSettings()),
    )
    assert (await keeper.start())["port"]
    async with asyncio.timeout(5):
        await job.working.wait()
    assert job.begun == 3
    assert keeper.health() == {"components": {}, "jobs": ["stubborn"], "moved": 3}
    assert await keeper.command("double", {"of": 4}) == 8
    assert (await keeper.command("set", {"name": "cache_ttl", "value": 9}))["cache_ttl"] == 9
    with pytest.raises(ValueError, match="1 to"):
        await keeper.command("set", {"name": "max_in_flight", "value": 0})
    with pytest.raises(ValueError, match="no command"):
        await keeper.command("dance", {})
    await keeper.stop()
    await keeper.stop()
    assert closed.is_set()
    assert capsys.readouterr().err.count("a job failed") == 2
