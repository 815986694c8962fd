"""What flows through a design at the peak, what each box can take, and what all of it costs.

The rules, as a learner reads them in `RULES`, are simple on purpose: with a pencil one gets the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grading.answers.designs import Box, Design

FRONT = ("client", "cdn", "load balancer")
"""Kinds that pass requests on."""
CODES = ("key service", "id generator")
STORES = ("database", "replica")
SINKS = ("queue", "worker", "analytics store")
"""Where clicks may go to, the best place first."""

RULES = (
    "Clients send all redirects and all new links, at the rate of the peak.",
    "Who passes requests on, shares them equally among the machines that its arrows lead to. A CDN passes on every "
    "redirect: one that it answered itself would be a click that nobody counts.",
    "Redirects go to the app servers that ask a cache, new links to those that ask for codes. Where none "
    "does, all do all.",
    "A hit is one question to the cache. A miss is two (look, then fill) and one question to a database or a replica. "
    "Without a cache every redirect asks a database or a replica.",
    "A new link is one write to a database, and one question for a code.",
    "Each redirect is one message to the queue, and one for the workers at that queue.",
    "Workers write counts in batches to the analytics store.",
    "What a box gets is shared equally by its machines.",
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one machine of a kind takes a second, of what, and what it costs a month. `capacity` 0: nobody counts."""

    capacity: float
    what: str
    price: float


@dataclass(frozen=True, slots=True)
class Brief:
    """What an exercise states. Rates are a second, on average; `batch`: clicks that become one row of counts."""

    reads: float
    writes: float
    peak: float
    hit_rate: float
    batch: float
    utilisation: float
    budget: float
    currency: str
    parts: Mapping[str, Part]

    @property
    def reads_at_peak(self) -> float:
        return self.reads * self.peak

    @property
    def writes_at_peak(self) -> float:
        return self.writes * self.peak


@dataclass(frozen=True, slots=True)
class Load:
    """Of one box, all its machines together, a second. `usable` 0: no limit is stated."""

    box: Box
    gets: float
    usable: float
    what: str

    @property
    def share(self) -> float:
        """1: all that may be used of it is in use."""
        return self.gets / self.usable if self.usable else 0.0

    @property
    def over(self) -> bool:
        return self.share > 1.0

    @property
    def needed(self) -> int:
        """So many machines could take it."""
        each = self.usable / self.box.count
        return -int(-self.gets // each) if each else self.box.count

    def __str__(self) -> str:
        if not self.usable:
            return f"{self.box.name}: no limit"
        text = f"{self.box.name}: {amount(self.gets)} of {amount(self.usable)} {self.what}"
        return f"{text}, {ratio(self.share)} what it takes" if self.over else text


def loads(design: Design, brief: Brief) -> dict[str, Load]:
    """By name of each box."""
    gets = flow(design, brief)
    found = {}
    for box in design.boxes:
        part = brief.parts.get(box.kind)
        usable = part.capacity * brief.utilisation * box.count if part is not None else 0.0
        found[box.name] = Load(box, gets[box.name], usable, part.what if part is not None else "")
    return found


def cost(design: Design, brief: Brief) -> float:
    """A month."""
    return sum(brief.parts[box.kind].price * box.count for box in design.boxes if box.kind in brief.parts)


def flow(design: Design, brief: Brief) -> dict[str, float]:
    """By name of each box: what it gets a second at the peak."""
    gets = {box.name: 0.0 for box in design.boxes}
    readers, writers = serving(design)
    reads = _passed_on(design, brief.reads_at_peak, {box.name for box in readers})
    writes = _passed_on(design, brief.writes_at_peak, {box.name for box in writers})
    for passed in (reads, writes):
        for name, rate in passed.items():
            gets[name] += rate
    for box in readers:
        for name, rate in _of_redirects(design, brief, box, reads.get(box.name, 0.0)):
            gets[name] += rate
    for box in writers:
        rate = writes.get(box.name, 0.0)
        for asked in (stores(design, box, "database"), design.asked_by(box.name, *CODES)):
            for name, share in _shared(rate, asked):
                gets[name] += share
    for name, rate in _of_clicks(design, brief, gets):
        gets[name] += rate
    return gets


def serving(design: Design) -> tuple[list[Box], list[Box]]:
    """The app servers that take redirects, and those that take new links: among those that clients reach, those that
    ask a cache, and those that ask for codes; where none does, those that ask a database; else all."""
    apps = [box for box in reached(design) if box.kind == "app server"]
    working = [box for box in apps if not _only_passes(design, box)]
    storing = [box for box in working if stores(design, box, *STORES)]
    readers = [box for box in working if design.asked_by(box.name, "cache")] or storing or working
    keeping = [box for box in working if stores(design, box, "database")]
    writers = [box for box in keeping if design.asked_by(box.name, *CODES)] or keeping or working
    return readers, writers


def stores(design: Design, app: Box, *kinds: str) -> list[Box]:
    """What it asks of these kinds itself or, where it is drawn so, through its cache."""
    through = [
        each for cache in design.asked_by(app.name, "cache") for each in design.asked_by(cache.name, *kinds)
    ]
    return list({box.name: box for box in (*design.asked_by(app.name, *kinds), *through)}.values())


def reached(design: Design) -> list[Box]:
    """What a client's request reaches before anything is asked: CDNs, balancers, app servers."""
    found: dict[str, Box] = {box.name: box for box in design.of("client")}
    waiting = list(found.values())
    while waiting:
        for box in _next(design, waiting.pop()):
            if box.name not in found:
                found[box.name] = box
                waiting.append(box)
    return [box for box in found.values() if box.kind != "client"]


def _next(design: Design, box: Box) -> list[Box]:
    if box.kind in FRONT:
        return design.asked_by(box.name, "cdn", "load balancer", "app server")
    return design.asked_by(box.name, "app server") if _only_passes(design, box) else []


def _only_passes(design: Design, box: Box) -> bool:
    """An app server that asks nothing but other app servers."""
    asked = design.asked_by(box.name, "cache", *STORES, *CODES, "app server")
    return bool(asked) and all(each.kind == "app server" for each in asked)


def _passed_on(design: Design, rate: float, servers: set[str]) -> dict[str, float]:
    """What each box gets of a rate that clients send and `servers` serve. Arrows in a circle are followed once."""
    order: list[Box] = []
    useful: dict[str, list[Box]] = {}

    def leads(box: Box, way: frozenset[str]) -> bool:
        """Whether it gets a request to a server that serves it; the order is of the way back."""
        if box.name not in useful:
            useful[box.name] = []
            targets = [each for each in _next(design, box) if each.name not in way]
            useful[box.name] = [each for each in targets if leads(each, way | {box.name})]
            order.append(box)
        return box.name in servers or bool(useful[box.name])

    clients = [box for box in design.of("client") if leads(box, frozenset())]
    got: dict[str, float] = {}
    for name, share in _shared(rate, clients):
        got[name] = share
    for box in reversed(order):
        if box.name not in servers:
            for name, share in _shared(got.get(box.name, 0.0), useful[box.name]):
                got[name] = got.get(name, 0.0) + share
    return got


def _of_redirects(design: Design, brief: Brief, app: Box, rate: float) -> list[tuple[str, float]]:
    caches = design.asked_by(app.name, "cache")
    misses = rate * (1 - brief.hit_rate) if caches else rate
    sinks = next((found for kind in SINKS if (found := design.asked_by(app.name, kind))), [])
    return [
        *_shared(rate + misses, caches),
        *_shared(misses, stores(design, app, *STORES)),
        *_shared(rate, sinks),
    ]


def _of_clicks(design: Design, brief: Brief, gets: Mapping[str, float]) -> list[tuple[str, float]]:
    """What comes out of the queues; an arrow between a queue and a worker may point either way."""
    found: list[tuple[str, float]] = []
    worked = {box.name: gets[box.name] for box in design.of("worker")}
    for queue in design.of("queue"):
        workers = workers_of(design, queue)
        for name, rate in _shared(gets[queue.name], workers):
            worked[name] += rate
            found.append((name, rate))
        if not workers:
            found += _shared(gets[queue.name], design.asked_by(queue.name, "analytics store"))
    for name, rate in worked.items():
        stores = design.asked_by(name, "analytics store") or design.asked_by(name, "database")
        found += _shared(rate / brief.batch, stores)
    return found


def workers_of(design: Design, queue: Box) -> list[Box]:
    both = [*design.asked_by(queue.name, "worker"), *design.asking(queue.name, "worker")]
    return list({box.name: box for box in both}.values())


def _shared(rate: float, among: Iterable[Box]) -> list[tuple[str, float]]:
    """By name: each machine gets the same."""
    boxes = list(among)
    machines = sum(box.count for box in boxes)
    return [(box.name, rate * box.count / machines) for box in boxes]


def amount(number: float) -> str:
    """`11,691`; small ones with a decimal."""
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def ratio(share: float) -> str:
    """`2.8 times`, `104 % of`"""
    return f"{share:.1f} times" if share >= 1.5 else f"{share * 100:.0f} % of"
