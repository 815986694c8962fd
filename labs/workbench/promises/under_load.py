"""Statements about many redirects: how fast, how many fail, how many are counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from hdrh.histogram import HdrHistogram

from grading.answers.requirements import Statement
from reference.platform.objectives import Objective, within
from reference.shortener.objectives import REDIRECT
from workbench.loadgen.load import load
from workbench.loadgen.result import LATE_WARNING, LoadResult
from workbench.notebook.links import create_links
from workbench.promises.stage import WATCHED, Stage
from workbench.promises.table import Tried

LEAST, MOST = 150.0, 450.0
"""Redirects a second that are asked for. At most: the stack and who asks share one machine."""
SHORTEST, LONGEST = 3.0, 8.0
"""Seconds of one load."""
SLACK = 0.9
"""Of what is enough, the share that will do: arrivals are random."""
PLAIN = 10
"""So many times more failures than may be are no accident of a busy machine."""
FAULT_AT = 0.7
"""Seconds after the beginning."""


def enough(share: float) -> float:
    """How many must be seen without a single exception before a share is believed to be smaller than this.

    The rule of three: if none of n failed, then with 95 % confidence fewer than 3 in n do."""
    return 3 / share if share > 0 else float("inf")


def _takes(share: float) -> str:
    """How many redirects it takes to see that no more than this share of them is an exception."""
    if share <= 0:
        return "no number of redirects shows that there is never an exception"
    return f"it takes {enough(share):,.0f} to tell"


async def redirects_fast(stage: Stage, said: Statement) -> Tried:
    wanted, share, limit = said.number("at"), said.number("percentile") / 100, said.number("limit")
    rate = min(wanted, MOST)
    seconds = min(max(enough(1 - share) / rate, SHORTEST), LONGEST)
    before = await asyncio.to_thread(stage.stack.readings)
    result = await load(
        stage.stack, stage.codes, rate, seconds, title=f"redirects-fast: {rate:g} redirects/s", whole=True
    )
    stage.clicks += result.statuses.get(302, 0)
    stage.unsure += sum(result.errors.values())
    stage.clicked = time.monotonic()
    if said.text("measured") == "server":
        took, fast, number = await asyncio.to_thread(at_the_servers, stage, said, before, share, limit)
    else:
        took = latency(result, share)
        fast, number = took <= limit, result.answered
    figures = (
        f"{100 * share:g} % of {number:,} redirects took {took:.1f} ms or less at {rate:,.0f} redirects/s."
    )
    lag = result.late if said.text("measured") == "client" else 0.0
    return speed(figures, fast, share, number, wanted, rate, lag)


def speed(
    figures: str, fast: bool, share: float, number: int, wanted: float, rate: float, lag: float
) -> Tried:
    """`number` redirects were measured at `rate` where `wanted` was stated. `lag`: of who asked, in milliseconds."""
    if not fast:
        return (
            Tried("not shown", f"{figures} {busy(lag)}") if lag > LATE_WARNING else Tried("broken", figures)
        )
    if wanted > rate:
        beyond = (
            f"{wanted:,.0f} are beyond this machine, which runs the servers and those who ask: not tried."
        )
        return Tried("not shown", f"{figures} {beyond}")
    if number < SLACK * enough(1 - share):
        return Tried("not shown", f"{figures} That says little: {_takes(1 - share)}.")
    return Tried("kept", figures)


def latency(result: LoadResult, share: float) -> float:
    """Milliseconds within which that share of the redirects was answered, as clients saw it."""
    return float(HdrHistogram.decode(result.histogram).get_value_at_percentile(100 * share)) / 1000


def at_the_servers(
    stage: Stage, said: Statement, before: object, share: float, limit: float
) -> tuple[float, bool, int]:
    """(milliseconds for that share, whether that is within the limit, how many redirects), by the servers' clocks."""
    from workbench.stack import Metrics

    assert isinstance(before, Metrics)
    found = stage.stack.readings().since(before)
    buckets = found.buckets("http_request_seconds", route=REDIRECT)
    objective = Objective(said.id, said.sentence, share, lambda _: within(limit / 1000, buckets))
    attained = objective.against(found)
    quantile = buckets.quantile(share)
    return 1000 * quantile.value if quantile else 0.0, bool(attained.met), int(buckets.total)


def busy(lag: float) -> str:
    return f"This machine was busy: requests left up to {lag:,.0f} ms late. Try again."


async def clicks_counted(stage: Stage, said: Statement) -> Tried:
    """Of the clicks so far: follows `redirects_fast`."""
    share, seconds = said.number("off_by") / 100, said.number("within")
    allowed = share * stage.clicks + stage.unsure + 1e-9
    counted, at = await count(stage), time.monotonic() - stage.clicked
    while abs(counted - stage.clicks) > allowed and at < min(seconds, WATCHED):
        await asyncio.sleep(0.05)
        counted, at = await count(stage), time.monotonic() - stage.clicked
    figures = f"{stage.clicks:,} redirects, {counted:,} counted {at:.1f} s after the last one."
    if abs(counted - stage.clicks) <= allowed:
        if at > seconds:
            return Tried("not shown", f"{figures} Nobody could look sooner.")
        return Tried("kept", figures)
    if seconds > WATCHED:
        return Tried("not shown", f"{figures} Nobody waited any longer.")
    return Tried("broken", figures)


async def count(stage: Stage) -> int:
    answers = await asyncio.gather(*(stage.http.get(f"/api/v1/stats/{code}") for code in stage.codes))
    return sum(int(answer.raise_for_status().json()["clicks"]) for answer in answers)


async def reads_available(stage: Stage, said: Statement) -> Tried:
    return await twice(lambda: _reads_available(stage, said))


async def twice(run: Callable[[], Awaitable[Tried]]) -> Tried:
    """Broken is what is broken twice: an overload comes by chance, the effect of a fault each time."""
    first = await run()
    if first.state != "broken":
        return first
    again = await run()
    if again.state == "broken":
        return again
    return Tried(
        "not shown",
        f"{first.figures} Once more: {again.figures} The two differ: this machine has much else to do. Try again.",
    )


async def _reads_available(stage: Stage, said: Statement) -> Tried:
    share, broken = said.number("share_failed") / 100, said.text("while")
    need = enough(share)
    seconds = min(max(FAULT_AT + 1.05 * need / MOST, SHORTEST), LONGEST)
    rate = min(max(1.05 * need / (seconds - FAULT_AT), LEAST), MOST)
    codes, skew = stage.codes, 1.0
    if broken == "a shard is away":  # of links that nobody has followed lately: no cache has them
        codes, skew = await create_links(stage.stack, 200, "reads-available"), 0.0
    text, begin, end = fault(stage, broken)
    try:
        result = await load(
            *(stage.stack, codes, rate, seconds, skew),
            at={FAULT_AT: (text, begin)} if text else None,
            title=f"reads-available: {broken}",
            whole=True,
        )
    finally:
        await asyncio.to_thread(end)
    begun = result.events.get(text, FAULT_AT if not text else None)
    if begun is None:
        return Tried("not shown", "The fault did not come before the load had ended. Try again.")
    before, after = ([tick for tick in result.series if (tick.t > begun) is late] for late in (False, True))
    under_way = before[-1].in_flight if before else 0
    sent, failed = under_way + sum(tick.sent for tick in after), sum(tick.failed for tick in after)
    share_failed = f"{100 * failed / max(1, sent):.2f} %"
    figures = f"{failed:,} of {sent:,} redirects failed ({share_failed}) after {text or 'nothing'}."
    without = sum(tick.failed for tick in result.series if tick.t <= FAULT_AT)  # since then it was on its way
    return failures(figures, failed, sent, share, result.late, without)


def failures(figures: str, failed: int, sent: int, share: float, lag: float, without: int = 0) -> Tried:
    """`share`: that may fail. `lag`: of who asked, in milliseconds. `without`: how many failed before the fault."""
    if failed > share * sent:
        if failed > PLAIN * max(share * sent, 1.0) and not without:  # no delay of who asked makes so many
            return Tried("broken", figures)
        if lag > LATE_WARNING:
            return Tried("not shown", f"{figures} {busy(lag)}")
        if without:
            return Tried(
                "not shown", f"{figures} But {without:,} had failed before: it is not the fault alone."
            )
        return Tried("broken", figures)
    if sent < SLACK * enough(share):
        return Tried("not shown", f"{figures} That says little: {_takes(share)}.")
    return Tried("kept", figures)


def fault(stage: Stage, broken: str) -> tuple[str, Callable[[], object], Callable[[], object]]:
    """(what it is called, how it begins, how it ends)"""
    stack = stage.stack
    match broken:
        case "one server is killed":
            victim = stack.servers[-1]
            return f"{victim} was killed", lambda: stack.kill(victim), lambda: stack.revive(victim)
        case "the cache is away":
            return "the cache was cut off", lambda: stack.cut("cache"), lambda: stack.mend("cache")
        case "a shard is away":
            return "shard-1 was cut off", lambda: stack.cut("shard-1"), lambda: stack.mend("shard-1")
    return "", lambda: None, lambda: None
