"""The five things that a published handler got wrong, each tried by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.lessons.handler_bench import HEADERS, Click, Handler, apart, bench, clicks, storm
from workbench.lessons.handler_services import SHORT_LIFE, Broker


@dataclass(frozen=True, slots=True)
class Trial:
    what: str
    wanted: str
    got: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Trials:
    """Of one handler. In a notebook a table."""

    name: str
    trials: Sequence[Trial]

    @property
    def kept(self) -> int:
        return sum(trial.kept for trial in self.trials)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.kept} of {len(self.trials)}"]
        for trial in self.trials:
            sign = "ok   " if trial.kept else "wrong"
            lines.append(
                f"  {sign} {trial.what}: {trial.got}" + ("" if trial.kept else f" (wanted: {trial.wanted})")
            )
        return "\n".join(lines)

    __repr__ = __str__


async def trials(handler: Handler) -> Trials:
    """The five things that a published handler got wrong, each tried by itself."""
    tried = [
        await each(handler) for each in (with_an_expiry, told_of, beside_others, broker_away, after_the_end)
    ]
    return Trials(getattr(handler, "__name__", "handler"), tried)


async def with_an_expiry(handler: Handler) -> Trial:
    [click] = await clicks(handler, "page")
    return Trial("a link that ends in an hour", "302", str(click), click.status == 302)


async def told_of(handler: Handler) -> Trial:
    broker = Broker()

    async def work() -> Click:
        async with bench(handler, broker=broker) as tried:
            click = await tried.click("forever")
            for _ in range(100):  # it may send the event after the answer
                if broker.events or click.status != 302:
                    break
                await asyncio.sleep(0.01)
            return click

    click = await apart(work)
    told = any(HEADERS["User-Agent"] in str(event) for event in broker.events)
    got = f"{click}; the event {'tells' if told else 'does not tell'} the browser"
    return Trial("a click, and its event", "302, and an event", got, click.status == 302 and told)


async def beside_others(handler: Handler) -> Trial:
    found = await storm(handler, count=10)
    redirected = all(status == 302 for status in found.statuses)
    got = (
        f"it waits for {found.behind} of them" if redirected else f"the redirects got {mixed(found.statuses)}"
    )
    good = redirected and found.behind == 0
    return Trial("a request beside 10 redirects that ask the cache", "it waits for none of them", got, good)


async def broker_away(handler: Handler) -> Trial:
    silent = await clicks(handler, "forever", broker=Broker(seconds=None))
    refusing = await clicks(handler, "forever", broker=Broker(up=False))
    got = f"silent: {silent[0]}; away: {refusing[0]}"
    good = all(click.status == 302 for click in (*silent, *refusing))
    return Trial("a broker that is silent, or away", "302", got, good)


async def after_the_end(handler: Handler) -> Trial:
    async def work() -> list[Click]:
        async with bench(handler) as tried:
            first = await tried.click("mayfly")
            await asyncio.sleep(SHORT_LIFE + 0.05)
            return [first, await tried.click("mayfly")]

    first, second = await apart(work)
    good = (first.status, second.status) == (302, 410)
    return Trial(
        "a click before a link's end, and one after", "302, then 410", f"{first}, then {second}", good
    )


def mixed(statuses: Iterable[int]) -> str:
    return " and ".join(str(status) for status in sorted(set(statuses)))
