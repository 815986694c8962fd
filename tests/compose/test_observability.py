"""Prometheus over the running profile: each panel shows something under load, and alerts go off."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from workbench import dashboard
from workbench.chaos.visitors import Ledger, Visitors
from workbench.stack import Stack
from workbench.stack.containers.engine import missing

from compose.observability.dashboard import ROWS
from compose.project import COMPOSE

pytestmark = [pytest.mark.slow, pytest.mark.compose, pytest.mark.anyio]

LOAD = 16.0
"""Seconds: a rate over a minute wants several scrapes, five seconds apart."""


class Watched:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.prometheus, self.alertmanager = (
            stack.observers()[name] for name in ("prometheus", "alertmanager")
        )

    def ask(self, expression: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": expression}, timeout=10).json()
        assert answer["status"] == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with Stack(profile="compose", observability=True) as stack:
        asyncio.run(load(stack.url))
        yield Watched(stack)


async def load(base: str) -> None:
    stop = asyncio.Event()
    visiting = asyncio.create_task(Visitors(base, Ledger()).run(stop))
    await asyncio.sleep(LOAD)
    stop.set()
    await visiting


def test_everything_is_asked_for_its_metrics(watched: Watched) -> None:
    up = {(each["metric"]["job"], each["metric"]["instance"]): each["value"][1] for each in watched.ask("up")}
    assert len(up) == 5 + 3 + 4 + 2 + 1
    assert {name for name, value in up.items() if value != "1"} == set()
    for metric, count in (("redis_up", 3), ("pg_up", 4), ("nginx_up", 2)):
        assert [each["value"][1] for each in watched.ask(metric)] == ["1"] * count, metric


PANELS = [(panel.title, ask) for row in ROWS.values() for panel in row for ask, _ in panel.asks]


@pytest.mark.parametrize(("title", "expression"), PANELS)
def test_each_panel_shows_something_under_load(title: str, expression: str, watched: Watched) -> None:
    found = watched.ask(expression)
    assert found, title
    assert all(each["value"][1] != "NaN" for each in found) or "histogram_quantile" in expression, title


@pytest.mark.parametrize("row", list(ROWS))
def test_a_notebook_draws_what_prometheus_knows(row: str, watched: Watched) -> None:
    drawn = dashboard(watched.stack, row)
    assert [panel["title"] for panel in drawn.panels] == [panel.title for panel in ROWS[row]]
    for panel, columns, wanted in zip(drawn.panels, drawn.columns, ROWS[row], strict=True):
        assert len(columns) == 1 + len(panel["lines"])
        assert wanted.quiet or any(value is not None for line in columns[1:] for value in line), wanted.title
    assert ROWS[row][0].title in drawn.words


def test_it_says_what_it_cannot_draw(watched: Watched) -> None:
    with pytest.raises(ValueError, match="one of Golden signals, Cache, Shards, Clicks"):
        dashboard(watched.stack, "golden")


def test_the_objectives_are_met_while_nothing_is_broken(watched: Watched) -> None:
    found = {
        each["metric"]["objective"]: float(each["value"][1])
        for each in watched.ask("objective:bad_events:ratio_rate5m")
    }
    assert set(found) == {"redirects fast", "hits fast", "reads available", "links made"}
    assert found["reads available"] == 0.0
    assert found["links made"] == 0.0


def test_an_alert_goes_off_when_a_service_is_away_and_ends_with_it(watched: Watched) -> None:
    watched.stack.kill("pool")
    try:
        assert until(lambda: "ServiceDown" in alerts(watched))
    finally:
        watched.stack.revive("pool")
    assert until(lambda: not watched.ask('ALERTS{alertname="ServiceDown",alertstate="firing"}'))


def alerts(watched: Watched) -> set[str]:
    """What Alertmanager was told."""
    told = httpx.get(f"{watched.alertmanager}/api/v2/alerts", timeout=10).json()
    return {each["labels"]["alertname"] for each in told}


def until(true: Any, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.5)
    return False


@pytest.mark.parametrize(
    "what",
    [
        ["check", "rules", "/rules/objectives.yml", "/rules/alerts.yml"],
        ["test", "rules", "/tests/alerts_test.yml"],
    ],
)
def test_the_rules_are_right_over_recorded_hours(what: list[str]) -> None:
    """By Prometheus' own tool: planted burns go off, quiet hours do not."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    image = dict(line.split("=", 1) for line in (COMPOSE / ".env").read_text("utf-8").split())[
        "PROMETHEUS_IMAGE"
    ]
    mounts = [
        "-v",
        f"{COMPOSE}/observability/rules:/rules:ro",
        "-v",
        f"{Path(__file__).parent}/rules:/tests:ro",
    ]
    argv = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        *mounts,
        "--entrypoint",
        "/bin/promtool",
        image,
        *what,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
