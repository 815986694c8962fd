"""What can be asked of a design, by name. A rule looks at the drawing, and says what it found if that is not enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from grading.answers.design_layers import questions
from grading.answers.design_load import (
    CODES,
    SINKS,
    STORES,
    Brief,
    Load,
    amount,
    cost,
    loads,
    reached,
    serving,
    stores,
    workers_of,
)
from grading.answers.designs import Arrow, Box, Design


@dataclass(frozen=True, slots=True)
class Lost:
    """`did`: the part of the drawing that is meant. `shown`: False where there is too little of a drawing to tell."""

    did: str
    got: str
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Drawing:
    """A design as the rules see it: without the arrows that lead answers back."""

    design: Design
    answers: tuple[Arrow, ...]
    brief: Brief
    loads: Mapping[str, Load]
    readers: tuple[Box, ...]
    """The app servers that take redirects."""
    writers: tuple[Box, ...]
    """Those that take new links."""

    @classmethod
    def of(cls, drawn: Design, brief: Brief) -> Drawing:
        design, answers = questions(drawn)
        readers, writers = serving(design)
        return cls(design, tuple(answers), brief, loads(design, brief), tuple(readers), tuple(writers))


Rule = Callable[[Drawing], Lost | None]

SKIPPED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("client",): ("cache", *STORES, *CODES, *SINKS),
    ("load balancer",): ("cache", *STORES, *CODES, *SINKS),
    ("cdn",): ("cache", *STORES, *CODES, "worker", "analytics store"),
    ("cache",): STORES,
}
"""From whom an arrow to whom skips the app servers."""


def connected(seen: Drawing) -> Lost | None:
    design = seen.design
    clients = [box.name for box in design.of("client")]
    if not clients:
        return Lost(_everything(design), "there is no client: the drawing begins with who uses it")
    joined = set(clients)
    waiting = list(clients)
    neighbours: dict[str, set[str]] = {box.name: set() for box in design.boxes}
    for arrow in (*design.arrows, *seen.answers):
        neighbours[arrow.source].add(arrow.target)
        neighbours[arrow.target].add(arrow.source)
    while waiting:
        new = neighbours[waiting.pop()] - joined
        joined |= new
        waiting += sorted(new)
    apart = [box for box in design.boxes if box.name not in joined or not neighbours[box.name]]
    if not apart:
        return None
    if any(box.kind == "client" for box in apart):
        return Lost(_boxes(apart), "no arrow leaves the client")
    return Lost(_boxes(apart), f"no way of arrows joins {_and(b.name for b in apart)} to a client")


def layers(seen: Drawing) -> Lost | None:
    skipping = [a for from_, to in SKIPPED.items() for a in seen.design.between(from_, to)]
    if not seen.design.arrows:
        return Lost(_everything(seen.design), "there is no arrow yet", shown=False)
    if not skipping:
        return None
    first = skipping[0]
    if seen.design.kind(first.source) == "cache":
        got = (
            f"{first.source} asks {first.target} itself. That would be a cache which knows the database "
            "(read-through); here the app server asks both, the cache first"
        )
    else:
        got = f"{first.source} asks {first.target} past the app servers"
    return Lost(_arrows(skipping), got)


def redirects(seen: Drawing) -> Lost | None:
    design = seen.design
    if not seen.readers:
        return Lost(_everything(design), "no way leads from a client to an app server")
    if without := [box for box in seen.readers if not stores(design, box, *STORES)]:
        names = _and(box.name for box in without)
        return Lost(
            _boxes(without),
            f"{names} can ask no database or replica: what the cache does not have is not found",
        )
    if not any(stores(design, box, "database") for box in seen.writers):
        return Lost(_boxes(seen.writers), "no app server asks a database, and so no new link is ever stored")
    return None


def balancer(seen: Drawing) -> Lost | None:
    design = seen.design
    direct = [a for a in design.between(["client"], ["app server"])]
    if direct:
        names = _and(dict.fromkeys(a.target for a in direct))
        return Lost(
            _arrows(direct), f"clients ask {names} themselves, and nobody tells them which machine is up"
        )
    if not seen.readers:
        return Lost(_everything(design), "no way leads from a client to an app server")
    return None


def cache(seen: Drawing) -> Lost | None:
    if any(seen.design.asked_by(box.name, "cache") for box in seen.readers):
        return None
    if not seen.design.of("cache"):
        return Lost(_boxes(seen.readers), "there is no cache: each redirect waits for a database")
    return Lost(_boxes(seen.design.of("cache")), "no app server that takes redirects asks the cache")


def availability(seen: Drawing) -> Lost | None:
    design = seen.design
    if not _reads(design):
        return Lost(_everything(design), "no way leads from a client to a database, even while all is well")
    fatal = [
        box
        for box in design.boxes
        if box.count == 1 and box.kind not in ("client", "cdn") and not _reads(design.without(box.name))
    ]
    if not fatal:
        return None
    names = _and(box.name for box in fatal)
    return Lost(
        _boxes(fatal),
        f"without {names} no client reaches a database or a replica any more"
        if len(fatal) == 1
        else f"{names}: without any one of them no client reaches a database or a replica any more",
    )


def clicks(seen: Drawing) -> Lost | None:
    design = seen.design
    queues = design.of("queue")
    if not queues:
        sent = design.between(["app server"], SINKS)
        if sent:
            return Lost(
                _arrows(sent), "there is no queue between: the app server waits until each click is taken in"
            )
        return Lost(_everything(design), "there is no queue: clicks are counted at once, or not at all")
    fed = [queue for queue in queues if design.asking(queue.name, "app server", "cdn", "cache", *STORES)]
    if not fed:
        return Lost(_boxes(queues), "nobody sends anything to the queue")
    worked = [(queue, workers_of(design, queue)) for queue in fed]
    if not any(workers for _, workers in worked):
        return Lost(_boxes(fed), "no worker takes from the queue: it only grows")
    if not any(design.asked_by(w.name, "analytics store") for _, workers in worked for w in workers):
        workers = [w for _, found in worked for w in found]
        return Lost(_boxes(workers), "the workers write to no analytics store: where are the counts read?")
    return None


def click_source(seen: Drawing) -> Lost | None:
    design = seen.design
    wrong = design.between([*STORES, "cache"], ["queue", "worker"])
    if wrong:
        names = _and(dict.fromkeys(a.source for a in wrong))
        kinds = {design.kind(a.source) for a in wrong}
        missed = 1 - seen.brief.hit_rate
        share = f"{missed:.0%}".replace("%", " %")
        got = f"clicks leave from {names}"
        if "cache" not in kinds:
            got += f", where only misses come by: {share} of the redirects would be counted, "
            got += "and of hot links the fewest"
        else:
            got += ", which knows neither who clicked nor whether the redirect was sent"
        return Lost(_arrows(wrong), got)
    silent = [box for box in seen.readers if not design.asked_by(box.name, *SINKS)]
    if silent or not seen.readers:
        names = _and(box.name for box in silent) or "no app server"
        return Lost(
            _boxes(silent) or _everything(design),
            f"{names} takes redirects and tells nobody of the click"
            if silent
            else "no app server takes redirects, so nobody knows of a click",
        )
    return None


def codes(seen: Drawing) -> Lost | None:
    design = seen.design
    if any(design.asked_by(box.name, *CODES) for box in seen.writers):
        return None
    made = design.of(*CODES)
    if not made:
        return Lost(
            _everything(design), "nothing in it makes codes: two servers may give one code to two links"
        )
    return Lost(
        _boxes(made), f"no app server that stores new links asks {_and((b.name for b in made), 'or')}"
    )


def load(seen: Drawing) -> Lost | None:
    if not seen.readers:
        return Lost(
            _everything(seen.design), "no request reaches an app server, so nothing flows yet", shown=False
        )
    over = [each for each in seen.loads.values() if each.over]
    if not over:
        return None
    return Lost(_boxes(each.box for each in over), "overloaded: " + "; ".join(map(str, over)))


def price(seen: Drawing) -> Lost | None:
    if not seen.readers:
        return Lost(_everything(seen.design), "what serves nobody has no price yet", shown=False)
    total = cost(seen.design, seen.brief)
    if total <= seen.brief.budget:
        return None
    dearest = sorted(seen.design.boxes, key=lambda box: -_price(box, seen.brief))[:3]
    items = ", ".join(f"{box.name} {amount(_price(box, seen.brief))}" for box in dearest)
    money = f"{amount(total)} {seen.brief.currency} a month"
    return Lost(items, f"{money}; the budget is {amount(seen.brief.budget)}. Dearest: {items}")


RULES: dict[str, Rule] = {
    "connected": connected,
    "layers": layers,
    "redirects": redirects,
    "balancer": balancer,
    "cache": cache,
    "availability": availability,
    "clicks": clicks,
    "click-source": click_source,
    "codes": codes,
    "load": load,
    "cost": price,
}


def _price(box: Box, brief: Brief) -> float:
    return brief.parts[box.kind].price * box.count if box.kind in brief.parts else 0.0


def _reads(design: Design) -> bool:
    """Whether a client's redirect can reach a database or a replica."""
    readers, _ = serving(design)
    return any(stores(design, box, *STORES) for box in readers) and bool(reached(design))


def _everything(design: Design) -> str:
    return f"{len(design.boxes)} boxes and {len(design.arrows)} arrows"


def _boxes(boxes: Iterable[Box]) -> str:
    found = list(boxes)
    return "; ".join(_at(str(box), box.line) for box in found[:6]) + (" …" if len(found) > 6 else "")


def _arrows(arrows: Iterable[Arrow]) -> str:
    found = list(arrows)
    return "; ".join(_at(str(arrow), arrow.line) for arrow in found[:6]) + (" …" if len(found) > 6 else "")


def _at(what: str, line: int) -> str:
    return f"{what} (line {line})" if line else what


def _and(names: Iterable[str], word: str = "and") -> str:
    found = list(names)
    return f" {word} ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)
