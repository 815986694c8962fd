"""Records the runs that alert rules are judged on: `python -m tests.bench.record_incidents [NAME ...]`.

A stack of the embedded profile serves a few dozen requests a second, somebody breaks something at a known second, and
every server, the consumer and the keeper are asked for their metrics once a second, as Prometheus would. What they
said lies afterwards in `grading/answers/alerts/runs/NAME.json.gz` (see `grading.answers.alerts.runs` for its form).
One run takes about two minutes of real time; nothing here is simulated. Other names are other instances of the same
kind: another server, another shard, another moment, another strength.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from workbench.loadgen.plan import LoadPlan
from workbench.notebook.links import create_links
from workbench.stack import Stack

from grading.answers.alerts.firing import highest
from grading.answers.alerts.runs import FOLDER, Series, Truth, packed, unpacked
from grading.answers.promql.evaluate import Samples
from grading.answers.promql.parser import parse

LINKS = 1500
CACHE_TTL, SHORT, LONG = 20.0, 8.0, 60.0
"""Seconds: some of the links are asked for anew all the time, so that what is wrong with the store is felt: by more of
the redirects where the time is short."""
MOST_SLOW = 0.09
"""Share of the redirects of any eight seconds that may take longer than 100 ms where nothing slow is planned."""
SHORTEN = 1.0
"""Links made a second."""
ROUTES = ("/{code}", "/api/v1/shorten")
KEPT = {
    "http_requests_total",
    "http_request_seconds_bucket",
    "http_request_seconds_count",
    "http_request_seconds_sum",
    "redirect_seconds_bucket",
    "redirect_seconds_count",
    "redirect_seconds_sum",
    "store_operations_total",
    "cache_commands_total",
    "click_events_total",
    "click_buffer_events",
    "clicks_counted_total",
    "consumer_lag_events",
    "requests_in_flight",
    "requests_queued",
    "requests_refused_total",
    "key_pool_codes",
}
WARM_UP = 15.0
"""Seconds of load before the first scrape: caches are filled, and nothing is a first time. Each server fails a few
requests then, so that it has a count of failures: it has none before the first."""


@dataclass
class Scene:
    """What a script breaks things with. `url`: the balancer's; `unused`: codes that nobody has asked for yet."""

    stack: Stack
    unused: list[str]
    began: float = 0.0

    def now(self) -> float:
        return time.monotonic() - self.began

    async def at(self, second: float) -> None:
        await asyncio.sleep(max(0.0, second - self.now()))

    async def do(self, act: Callable[..., Any], *arguments: Any) -> None:
        await asyncio.to_thread(act, *arguments)

    async def one_fails(self) -> None:
        """The shards are away for one request: a link that no cache knows."""
        code = self.unused.pop()
        await self.do(self.stack.cut, "shards")
        async with httpx.AsyncClient() as client:
            await client.get(f"{self.stack.url}/{code}")
        await self.do(self.stack.mend, "shards")

    async def deploy(self, role: str, second: float) -> None:
        """A new version of one process. It is away just when it is asked for its metrics."""
        await self.at(second - 0.04)
        await self.do(self.stack.restart, role)


Script = Callable[[Scene], Coroutine[Any, Any, None]]


def fails_at(*seconds: float) -> Script:
    async def script(scene: Scene) -> None:
        for each in seconds:
            await scene.at(each)
            await scene.one_fails()

    return script


def deployed(*steps: tuple[float, str]) -> Script:
    async def script(scene: Scene) -> None:
        for second, role in steps:
            await scene.deploy(role, second)

    return script


def flushed(*seconds: float) -> Script:
    async def script(scene: Scene) -> None:
        for each in seconds:
            await scene.at(each)
            await scene.do(scene.stack.flush, "cache")

    return script


def broken(begin: float, end: float, *targets: str, slow: float = 0.0) -> Script:
    """Edges that are cut, or slow, from one second to another."""

    async def script(scene: Scene) -> None:
        await scene.at(begin)
        for target in targets:
            if slow:
                await scene.do(scene.stack.slow, target, slow)
            else:
                await scene.do(scene.stack.cut, target)
        await scene.at(end)
        for target in targets:
            await scene.do(scene.stack.mend, target)

    return script


def killed(begin: float, end: float, role: str) -> Script:
    async def script(scene: Scene) -> None:
        await scene.at(begin)
        await scene.do(scene.stack.kill, role)
        await scene.at(end)
        await scene.do(scene.stack.revive, role)

    return script


@dataclass(frozen=True)
class Plan:
    """`rate`: redirects a second, by the second from which on it holds."""

    kind: str
    story: str
    seconds: int
    script: Script
    rate: tuple[tuple[float, float], ...] = ((0.0, 30.0),)
    fault: tuple[float, float] | None = None
    hidden: bool = False
    ttl: float = CACHE_TTL


def busy(low: float, high: float, begin: float, end: float) -> tuple[tuple[float, float], ...]:
    return ((0.0, low), (begin, high), (end, low))


PLANS: dict[str, Plan] = {
    # --- what learners see
    "errors-1": Plan(
        "errors",
        "A shard is cut off from all servers.",
        110,
        broken(35, 70, "shard-2"),
        fault=(35, 70),
        ttl=SHORT,
    ),
    "slow-1": Plan(
        "slow",
        "The shards answer 300 ms later.",
        110,
        broken(35, 70, "shards", slow=0.15),
        fault=(35, 70),
        ttl=SHORT,
    ),
    "clicks-1": Plan("clicks", "The consumer is killed.", 125, killed(30, 85, "consumer"), fault=(30, 85)),
    "burn-1": Plan(
        "burn",
        "One server of three cannot reach one shard of three.",
        150,
        broken(30, 115, "app-1->shard-1"),
        fault=(30, 115),
        ttl=LONG,
    ),
    "server-1": Plan("server", "app-2 is killed.", 100, killed(30, 65, "app-2"), fault=(30, 65)),
    "busy-1": Plan(
        "busy",
        "Three times as many come for 40 seconds; a few requests fail.",
        110,
        fails_at(38, 52, 66),
        busy(25, 75, 30, 75),
    ),
    "deploy-1": Plan(
        "deploy",
        "All servers, then the consumer, get a new version, one after the other.",
        90,
        deployed((25, "app-1"), (31, "app-2"), (37, "app-3"), (44, "consumer")),
    ),
    "night-1": Plan(
        "night", "Hardly anybody comes, and a request or two fail.", 110, fails_at(45), ((0.0, 1.0),)
    ),
    "flush-1": Plan("flush", "The cache is emptied, twice.", 80, flushed(25, 50)),
    # --- what marks are given on
    "errors-2": Plan(
        "errors",
        "Two shards are cut off from all servers.",
        105,
        broken(41, 68, "shard-1", "shard-3"),
        ((0.0, 22.0),),
        (41, 68),
        hidden=True,
        ttl=SHORT,
    ),
    "slow-2": Plan(
        "slow",
        "The shards answer 240 ms later.",
        110,
        broken(39, 76, "shards", slow=0.12),
        ((0.0, 38.0),),
        (39, 76),
        hidden=True,
        ttl=SHORT,
    ),
    "clicks-2": Plan(
        "clicks",
        "The consumer cannot reach the store.",
        125,
        broken(27, 80, "consumer->store"),
        ((0.0, 20.0),),
        (27, 80),
        hidden=True,
    ),
    "burn-2": Plan(
        "burn",
        "One server of three cannot reach one shard of three.",
        150,
        broken(34, 118, "app-3->shard-2"),
        ((0.0, 36.0),),
        (34, 118),
        hidden=True,
        ttl=LONG,
    ),
    "server-2": Plan("server", "app-3 is killed.", 100, killed(32, 66, "app-3"), fault=(32, 66), hidden=True),
    "busy-2": Plan(
        "busy",
        "Four times as many come for 45 seconds; a few requests fail.",
        115,
        fails_at(33, 47, 58, 70),
        busy(20, 80, 28, 75),
        hidden=True,
    ),
    "deploy-2": Plan(
        "deploy",
        "The consumer, then all servers, get a new version, one after the other.",
        90,
        deployed((22, "consumer"), (30, "app-3"), (35, "app-1"), (40, "app-2")),
        ((0.0, 40.0),),
        hidden=True,
    ),
    "night-2": Plan(
        "night",
        "Hardly anybody comes, and a request or two fail.",
        110,
        fails_at(58),
        ((0.0, 0.7),),
        hidden=True,
    ),
    "flush-2": Plan("flush", "The cache is emptied, three times.", 80, flushed(20, 40, 55), hidden=True),
}


async def visit(scene: Scene, plan: Plan, codes: list[str], seconds: float, seed: int) -> None:
    """Open loop: each redirect goes out at its time, answered or not."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
    async with httpx.AsyncClient(limits=limits, timeout=3.0) as client:

        async def ask(method: str, path: str, **more: Any) -> None:
            try:
                await client.request(method, f"{scene.stack.url}{path}", **more)
            except httpx.HTTPError:
                pass  # what clients did not get shows in no metric; here it is not needed

        steps = [(-WARM_UP, plan.rate[0][1]), *plan.rate[1:], (seconds, 0.0)]
        due = [
            (begin + at, code)
            for number, ((begin, rate), (end, _)) in enumerate(itertools.pairwise(steps))
            for at, code in LoadPlan(
                scene.stack.url, tuple(codes), rate, end - begin, 0.7, seed + number
            ).requests()
        ]
        async with asyncio.TaskGroup() as group:

            async def makers() -> None:
                number, at = 0, -WARM_UP
                gaps = random.Random(seed)
                while (at := at + gaps.expovariate(min(SHORTEN, plan.rate[0][1] / 10))) < seconds:
                    await scene.at(at)
                    number += 1
                    body = {"long_url": f"https://example.com/new/{number}"}
                    group.create_task(ask("POST", "/api/v1/shorten", json=body))

            group.create_task(makers())
            for at, code in due:
                await scene.at(at)
                group.create_task(ask("GET", f"/{code}"))


async def scrape(scene: Scene, seconds: int) -> Series:
    """(job, instance and the metric's own labels) -> a value or None for each second; `up` among them."""
    urls = {
        name: role["url"]
        for name, role in scene.stack.status().roles.items()
        if role["kind"] in ("app", "consumer", "keeper")
    }
    found: Series = {}

    async def one(client: httpx.AsyncClient, step: int, instance: str) -> None:
        def put(name: str, labels: dict[str, str], value: float) -> None:
            key = tuple(
                sorted((labels | {"__name__": name, "job": "shortener", "instance": instance}).items())
            )
            found.setdefault(key, [None] * seconds)[step] = value

        try:
            answer = await client.get(f"{urls[instance]}/metrics")
            text = answer.raise_for_status().text
        except httpx.HTTPError:
            put("up", {}, 0.0)
            return
        put("up", {}, 1.0)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                route = sample.labels.get("route")
                if sample.name in KEPT and (route is None or route in ROUTES):
                    put(sample.name, sample.labels, sample.value)

    async with httpx.AsyncClient(timeout=0.8) as client:
        for step in range(seconds):
            await scene.at(step)
            await asyncio.gather(*(one(client, step, instance) for instance in urls))
    return found


def disturbed(plan: Plan, series: Series) -> str:
    """Why this is not the run that it should be: redirects were slow for a moment that was planned for nothing of the
    kind, as they are where the machine had other work. Empty: it is."""
    if plan.kind in ("slow", "night"):
        return ""
    of = '{route="/{code}"' + ', le="0.1"}[8s]))', '{route="/{code}"}[8s]))'
    fast, all_ = f"sum(rate(http_request_seconds_bucket{of[0]}", f"sum(rate(http_request_seconds_count{of[1]}"
    shares = highest(parse(f"1 - {fast} / {all_}"), Samples(series, plan.seconds))
    worst = max(share or 0.0 for share in shares[5:])
    return f"{worst:.0%} of the redirects were slow for a moment" if worst > MOST_SLOW else ""


async def record(name: str, plan: Plan) -> None:
    """Again, as often as the machine has other work to do."""
    while why := await _record(name, plan):
        print(f"{name}: {why}; once more", flush=True)


async def _record(name: str, plan: Plan) -> str:
    seed = sum(map(ord, name))
    with Stack(servers=3) as stack:
        codes = await create_links(stack, LINKS)
        unused = await create_links(stack, 30, "seldom")
        for setting, value in (("cache_ttl", plan.ttl), ("fast_path", False)):
            stack.set(setting, value)
        scene = Scene(stack, unused, began=time.monotonic() + WARM_UP)
        async with asyncio.TaskGroup() as group:
            group.create_task(visit(scene, plan, codes, plan.seconds, seed))
            for _ in range(3 * len(stack.servers)):
                await scene.one_fails()
            await scene.at(-0.5)
            scraping = group.create_task(scrape(scene, plan.seconds))
            group.create_task(plan.script(scene))
        series = scraping.result()
    truth = Truth(name, plan.kind, plan.story, plan.seconds, plan.fault, not plan.hidden)
    FOLDER.mkdir(exist_ok=True)
    data = packed(truth, series)
    if why := disturbed(plan, series):
        return why
    (FOLDER / f"{name}.json.gz").write_bytes(data)
    print(f"{name}: {len(series)} series, {len(data):,} bytes", flush=True)
    return ""


def retell(name: str, plan: Plan) -> None:
    """What a plan says in words, into a recording that is there."""
    path = FOLDER / f"{name}.json.gz"
    run = unpacked(path.read_bytes())
    path.write_bytes(packed(replace(run.truth, story=plan.story), run.series))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PLANS)}; all, if none is named")
    parser.add_argument("--retell", action="store_true", help="only write the stories anew")
    options = parser.parse_args()
    for name in options.names or list(PLANS):
        if options.retell:
            retell(name, PLANS[name])
        else:
            asyncio.run(record(name, PLANS[name]))


if __name__ == "__main__":
    main()
