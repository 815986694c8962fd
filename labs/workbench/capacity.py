"""`model = await calibrate(stack, codes)`: how much processor time a redirect costs, measured on a stack that runs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from workbench.capacity_model import Check, Model, Sample, Servers, fit
from workbench.loadgen.load import load
from workbench.loadgen.result import StoppedEarly
from workbench.loadgen.silent import SilentView
from workbench.notebook.status import StatusLine
from workbench.stack import Stack

__all__ = ["Check", "Model", "Sample", "Servers", "calibrate", "fit"]

WARM = 20
"""Codes that a load of hits asks for. They are in the cache by then; those that are not are counted as misses."""
FLUSH_EVERY, FLUSH_LEAST = 0.5, 0.1
"""Seconds between two emptyings of the cache during a load with misses, and the shortest there may be."""
SETTLE = 0.15
"""Seconds after a load in which its clicks get to the log: they are a part of what it costs."""
MOST_FAILED = 0.02
TRIES = 3
"""What disturbs a short load comes by chance, and not three times; what is wrong with a stack comes each time."""
LOADS = ((100.0, 1.0), (400.0, 1.0), (250.0, 0.5), (100.0, 0.1))
"""(redirects/s, hit rate) of the loads that the model is fitted to. An idle stack is none of them: what is fixed under
load is more than what it uses."""


async def calibrate(
    stack: Stack,
    codes: Iterable[str],
    loads: Sequence[tuple[float, float]] = LOADS,
    seconds: float = 1.6,
) -> Model:
    """Runs a few short loads, and fits to them what a redirect costs the app servers in processor time. Takes 12 s.

        codes = await create_links(stack, 300)
        model = await calibrate(stack, codes)
        model                                    # the costs, and how well they suit the loads
        await model.check(rate=220, hit_rate=0.5)  # predicts and measures a load that was not used
        model.servers_for(3_858, hit_rate=0.8)

    `codes`: of live links, 100 at least: the more there are, the more misses are possible. `loads`: pairs of
    redirects/s and hit rate, of `seconds` each; two rates and two hit rates at least. Misses are made by emptying the
    cache again and again; how many there were is read from the servers' counters.

    The fast path is off meanwhile: its redirects cost so little that they would hide what the others cost. It is set
    back afterwards. ValueError: too few codes, or loads too much alike. Disturbed: requests failed, or a server was
    started again meanwhile, so that nothing can be said.
    """
    known = tuple(codes)
    if len(known) < 100:
        raise ValueError(f"{len(known)} codes: 100 at least, such as `await create_links(stack, 200)`")
    meter = _Meter(stack, known)
    status = StatusLine("Warming up …")

    async def measure(rate: float, hit_rate: float, seconds: float) -> Sample:
        return await meter.measured(rate, hit_rate, seconds)

    await meter.warm_up()
    samples = []
    for rate, hit_rate in loads:
        status.update(f"Measuring {rate:g} redirects/s, hit rate about {100 * hit_rate:.0f} % …")
        samples.append(await measure(rate, hit_rate, seconds))
    status.update(f"Measured {len(samples)} loads.")
    return fit(samples, meter.servers, measure)


class Disturbed(StoppedEarly, RuntimeError):
    """What was measured says nothing of the servers. An experiment shows why, and records nothing."""


class _Meter:
    """Runs loads on a stack, and reads what they cost."""

    def __init__(self, stack: Stack, codes: tuple[str, ...]) -> None:
        self.stack = stack
        self.codes = codes
        self.apps = stack.servers
        self.servers = len(self.apps)

    async def warm_up(self) -> None:
        """The first requests to a server cost more than any later one, and connections have to be made."""
        fast_path = self._slow()
        try:
            await load(self.stack.url, self.codes[:WARM], 100.0, 0.5, 0.0, view=SilentView())
        finally:
            self.stack.set("fast_path", fast_path)

    async def measured(self, rate: float, hit_rate: float, seconds: float) -> Sample:
        if not 0 <= hit_rate <= 1:
            raise ValueError(f"hit_rate = {hit_rate}: a share between 0 and 1")
        fast_path = self._slow()
        try:
            for _ in range(TRIES - 1):
                with suppress(Disturbed):
                    return await self._measured(rate, hit_rate, seconds)
            return await self._measured(rate, hit_rate, seconds)
        finally:
            self.stack.set("fast_path", fast_path)

    def _slow(self) -> bool:
        before = bool(self.stack.settings()["fast_path"])
        self.stack.set("fast_path", False)
        return before

    async def _measured(self, rate: float, hit_rate: float, seconds: float) -> Sample:
        codes, flush_every = mixture(rate, hit_rate, self.codes)
        if flush_every is not None:
            await asyncio.to_thread(self.stack.flush)
        # The counters are read outside of what is timed: showing them costs a server more than a redirect.
        misses = await asyncio.to_thread(self._misses)
        cpu, began = await asyncio.to_thread(self.stack.cpu), time.perf_counter()
        flushes = {
            t: (f"the cache is emptied ({n})", self.stack.flush)
            for n, t in enumerate(_times(seconds, flush_every))
        }
        result = await load(self.stack.url, codes, rate, seconds, 0.0, at=flushes, view=SilentView())
        redirects = result.statuses.get(302, 0) + result.statuses.get(301, 0)
        if result.sent - redirects > MOST_FAILED * result.sent:
            raise Disturbed(
                f"{result.sent - redirects} of {result.sent} requests got no redirect in time: this machine has too "
                "much else to do to be measured. Close what you can, and run this cell again."
            )
        await asyncio.sleep(SETTLE)
        after = await asyncio.to_thread(self.stack.cpu)
        took = time.perf_counter() - began
        spent = {
            role: after[role] - cpu[role]
            for role in (*self.apps, "balancer")
            if role in after and role in cpu
        }
        if len(spent) <= self.servers or any(value < 0 for value in spent.values()):
            raise Disturbed(
                "A server was started again, or is down, while it was measured; see stack.incidents(). Then run this "
                "cell again."
            )
        asked = round(await asyncio.to_thread(self._misses) - misses)
        return Sample(
            redirects, asked, took, sum(spent[app] for app in self.apps), spent["balancer"], result.seconds
        )

    def _misses(self) -> float:
        return self.stack.metrics().value("store_operations_total", operation="find")


def mixture(rate: float, hit_rate: float, codes: Sequence[str]) -> tuple[Sequence[str], float | None]:
    """The codes to ask for, all alike, and the seconds after which the cache is emptied each time (None: never), so
    that about `hit_rate` of the requests hit.

    Of k requests for one of n codes each, n (1 - exp(-k / n)) are the first for their code, and miss.
    """
    if hit_rate >= 1:
        return codes[:WARM], None
    per_code = requests_per_code(hit_rate)
    count = max(1, min(len(codes), round(rate * FLUSH_EVERY / per_code)))
    return codes[:count], max(FLUSH_LEAST, count * per_code / rate)


def requests_per_code(hit_rate: float) -> float:
    """The k / n for which (1 - exp(-k / n)) / (k / n) is the share of misses."""
    misses = min(1 - hit_rate, 0.98)
    low, high = 1e-3, 2 / (1 - hit_rate) if hit_rate < 1 else math.inf
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if -math.expm1(-middle) / middle > misses else (low, middle)
    return (low + high) / 2


def _times(seconds: float, every: float | None) -> list[float]:
    if every is None:
        return []
    return [n * every for n in range(1, math.ceil(seconds / every))]
