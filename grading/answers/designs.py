"""Designs as text: boxes, and arrows that say who asks whom.

    client: client
    balancer x2: load balancer
    app x9: app server
    client -> balancer: every request
    balancer -> app

A box is `name [x COUNT]: kind`, an arrow `from -> to[, to]: what flows`. A line that begins with `#` is a comment.
Nothing is executed. `parse` never raises: it returns what it understood, and a message for each line that it did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise

KINDS: dict[str, str] = {
    "client": "clients, user, browser, mobile client, phone",
    "cdn": "content delivery network, edge, edge cache, edge server",
    "load balancer": "balancer, lb, reverse proxy, proxy, gateway, api gateway, router",
    "app server": "app, api, api server, application server, application, server, web server, service, api service",
    "cache": "redis, memcached, redis cache, cache server, in-memory cache",
    "database": "db, store, sql database, shard, database shard, primary, postgres, postgresql, mysql, "
    "key-value store, kv store, nosql database, dynamodb, cassandra, url store",
    "replica": "read replica, database replica, follower, standby, secondary, replica database",
    "queue": "message queue, log, event log, kafka, broker, message broker, stream, event stream, topic",
    "worker": "consumer, aggregator, click consumer, stream processor, stream job, flink, analytics worker, processor",
    "key service": "key generation service, kgs, key pool, key generator, key store, code service, code pool, keeper",
    "id generator": "ids, id service, snowflake, counter, sequence, ticket server",
    "analytics store": "analytics, analytics database, analytics db, statistics store, warehouse, data warehouse, "
    "olap, olap database, time-series database, clickhouse, counts",
    "monitoring": "monitor, metrics, prometheus, alerting, observability, grafana",
}
"""Each kind of box, and what else it may be called."""

SHORT = {
    "load balancer": "balancer",
    "app server": "app",
    "key service": "keys",
    "id generator": "ids",
    "analytics store": "counts",
    "database": "links",
}
"""By kind: a name for a new box, where the kind itself is none."""

MAX_COUNT = 1000
MAX_BOXES = 60
MAX_ARROWS = 250
MAX_LABEL = 80
MAX_LINE = 400
MAX_PROBLEMS = 50
"""After so many lines that cannot be read, the rest is not looked at."""

NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
_BOX = re.compile(r"(?P<name>[^:]*?)(?:\s+[x×X]\s*(?P<count>[^\s:]*))?\s*:\s*(?P<kind>.*)")
_ARROW = re.compile(r"\s*(?:--?>|→|⟶|⇒|=>)\s*")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def _called(kind: str) -> str:
    return " ".join(re.sub(r"[\s_-]+", " ", kind.lower()).split())


_KIND_OF = {_called(name): kind for kind, names in KINDS.items() for name in (kind, *names.split(","))}


@dataclass(frozen=True, slots=True)
class Box:
    """`count` equal machines under one name. `line`: of the text, from 1; 0 if it was not read."""

    name: str
    kind: str
    count: int = 1
    line: int = 0

    def __str__(self) -> str:
        return f"{self.name}{f' x{self.count}' if self.count > 1 else ''}: {self.kind}"


@dataclass(frozen=True, slots=True)
class Arrow:
    """`source` asks `target`, or sends to it. An answer needs no arrow of its own."""

    source: str
    target: str
    label: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}{f': {self.label}' if self.label else ''}"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line, and what to write instead."""

    line: int
    says: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.says}"


@dataclass(frozen=True, slots=True)
class Design:
    boxes: tuple[Box, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    _by_name: dict[str, Box] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._by_name.update((box.name, box) for box in self.boxes)

    def __getitem__(self, name: str) -> Box:
        """KeyError: no box of that name."""
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def of(self, *kinds: str) -> list[Box]:
        return [box for box in self.boxes if box.kind in kinds]

    def kind(self, name: str) -> str:
        return self._by_name[name].kind

    def asked_by(self, name: str, *kinds: str) -> list[Box]:
        """The boxes of these kinds (of all, if none is given) that an arrow from `name` points to, each once."""
        targets = dict.fromkeys(arrow.target for arrow in self.arrows if arrow.source == name)
        return [self[target] for target in targets if not kinds or self.kind(target) in kinds]

    def asking(self, name: str, *kinds: str) -> list[Box]:
        """The boxes of these kinds from which an arrow points to `name`, each once."""
        sources = dict.fromkeys(arrow.source for arrow in self.arrows if arrow.target == name)
        return [self[source] for source in sources if not kinds or self.kind(source) in kinds]

    def between(self, sources: Iterable[str], targets: Iterable[str]) -> list[Arrow]:
        """The arrows from boxes of some kinds to boxes of others."""
        from_, to = set(sources), set(targets)
        return [a for a in self.arrows if self.kind(a.source) in from_ and self.kind(a.target) in to]

    def without(self, name: str) -> Design:
        """The same with one box, and its arrows, taken away."""
        return Design(
            tuple(box for box in self.boxes if box.name != name),
            tuple(arrow for arrow in self.arrows if name not in (arrow.source, arrow.target)),
        )


def parse(text: str) -> tuple[Design, list[Problem]]:
    """What was understood, and each line that was not. Lines are counted from 1, the empty first one of an answer
    too."""
    boxes: dict[str, Box] = {}
    arrows: list[Arrow] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        said = statement(line)
        if not said:
            continue
        try:
            if len(said) > MAX_LINE:
                raise _Mistake(f"a line of {len(said):,} characters; {MAX_LINE} must do")
            if _ARROW.search(said.partition(":")[0]):
                arrows += _arrows(said, number)
            else:
                box = _box(said, number)
                if box.name in boxes:
                    raise _Mistake(_twice(box, boxes[box.name]))
                boxes[box.name] = box
        except _Mistake as mistake:
            problems.append(Problem(number, str(mistake)))
            if len(problems) == MAX_PROBLEMS:
                break
    known, more = _known(arrows, boxes)
    problems += more
    if len(boxes) > MAX_BOXES or len(known) > MAX_ARROWS:
        last = max([*(b.line for b in boxes.values()), *(a.line for a in known)])
        problems.append(
            Problem(
                last,
                f"there are {len(boxes)} boxes and {len(known)} arrows; up to {MAX_BOXES} and "
                f"{MAX_ARROWS} can be looked at. Count equal boxes: app x9: app server",
            )
        )
        known, boxes = [], dict(list(boxes.items())[:MAX_BOXES])
    problems.sort(key=lambda problem: problem.line)
    return Design(tuple(boxes.values()), tuple(known)), problems


def statement(line: str) -> str:
    """What a line says, without its comment."""
    return _COMMENT.sub("", line).strip()


def comment(line: str) -> str:
    """The comment at the end of a line, with what stands before it; empty if there is none."""
    found = _COMMENT.search(line)
    return line[len(line[: found.start()].rstrip()) :] if found is not None and statement(line) else ""


def kind_of(written: str) -> str | None:
    """The kind that is meant: `Message Queues` is a queue. None: no such kind."""
    called = _called(written)
    return _KIND_OF.get(called) or _KIND_OF.get(called.removesuffix("s"))


def box_line(box: Box) -> str:
    return str(box)


def arrow_line(source: str, targets: Iterable[str], label: str = "") -> str:
    return f"{source} -> {', '.join(targets)}{f': {label}' if label else ''}"


def to_text(design: Design) -> str:
    """The design, line by line, as `parse` takes it."""
    lines = [*map(box_line, design.boxes), *map(str, design.arrows)]
    return "".join(f"{line}\n" for line in lines)


def fresh_name(kind: str, taken: Iterable[str]) -> str:
    """A name for a new box: `cache`, then `cache-2`."""
    stem = SHORT.get(kind, kind.replace(" ", "-"))
    names = set(taken)
    return next(
        name for n in range(1, MAX_BOXES + 2) if (name := stem if n == 1 else f"{stem}-{n}") not in names
    )


class _Mistake(ValueError):
    pass


def _box(said: str, number: int) -> Box:
    found = _BOX.fullmatch(said)
    if found is None:
        raise _Mistake(_no_statement(said))
    name = _name(found["name"])
    count = _count(found["count"], name)
    if not found["kind"].strip():
        raise _Mistake(f"what is {name!r}? Write its kind behind the colon, such as {name}: {_guess(name)}")
    kind = kind_of(found["kind"])
    if kind is None:
        close = get_close_matches(_called(found["kind"]), _KIND_OF, 1, 0.75)
        meant = f"did you mean {_KIND_OF[close[0]]!r}? " if close else ""
        raise _Mistake(f"{cut(found['kind'])!r} is no kind of box; {meant}There are: {', '.join(KINDS)}")
    return Box(name, kind, count, number)


def _count(written: str | None, name: str) -> int:
    if written is None:
        return 1
    if written.isascii() and written.isdecimal() and len(written) < 9 and 1 <= int(written) <= MAX_COUNT:
        return int(written)
    raise _Mistake(
        f"{cut(written)!r} is no count from 1 to {MAX_COUNT:,}; write such as {name} x3: app server"
    )


def _arrows(said: str, number: int) -> list[Arrow]:
    ends, _, label = said.partition(":")
    parts = _ARROW.split(ends)
    label = " ".join("".join(c if c.isprintable() else " " for c in label).split())
    if len(parts) > 2:
        pairs = [f"{a.strip()} -> {b.strip()}" for a, b in pairwise(parts)]
        raise _Mistake(f"one arrow a line; write {cut(pairs[0])}, and on the next line {cut(pairs[1])}")
    if len(label) > MAX_LABEL:
        raise _Mistake(f"what flows is said in {len(label)} characters; {MAX_LABEL} must do")
    source = _end(parts[0])
    targets = [_end(each) for each in parts[1].split(",")]
    if source in targets:
        raise _Mistake(f"an arrow from {source!r} to itself; an arrow says who asks whom, between two boxes")
    return [Arrow(source, target, label, number) for target in dict.fromkeys(targets)]


def _end(written: str) -> str:
    if not written.strip():
        raise _Mistake("an arrow needs a box at each end, such as app -> cache: GET code")
    return _name(written)


def _name(written: str) -> str:
    name = written.strip()
    if NAME.fullmatch(name):
        return name
    mended = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:30].rstrip("-")
    instead = f"write {mended}" if NAME.fullmatch(mended) else "write such as app"
    raise _Mistake(f"{cut(name)!r} is no name: small letters, digits and hyphens, 30 at most; {instead}")


def _known(arrows: list[Arrow], boxes: dict[str, Box]) -> tuple[list[Arrow], list[Problem]]:
    """The arrows between boxes that are there; of the others, who is missing."""
    known: list[Arrow] = []
    problems: list[Problem] = []
    missed: set[tuple[int, str]] = set()
    for arrow in arrows:
        if len(problems) >= MAX_PROBLEMS:
            break
        missing = [end for end in (arrow.source, arrow.target) if end not in boxes]
        if not missing:
            known.append(arrow)
        for name in missing:
            if (arrow.line, name) not in missed:
                missed.add((arrow.line, name))
                close = get_close_matches(name, boxes, 1)
                meant = f"did you mean {close[0]!r}? If not, add" if close else "add"
                problems.append(
                    Problem(
                        arrow.line,
                        f"no box is called {name!r}; {meant} a line such as {name}: {_guess(name)}",
                    )
                )
    return known, problems


def _guess(name: str) -> str:
    """The kind that a name suggests."""
    found = kind_of(name) or kind_of(name.rpartition("-")[2]) or kind_of(name.partition("-")[0])
    return found or "app server"


def _twice(box: Box, before: Box) -> str:
    if box.kind == before.kind:
        return (
            f"{box.name!r} stands in line {before.line} already; for more of them give a count there: "
            f"{before.name} x{min(before.count + box.count, MAX_COUNT)}: {box.kind}"
        )
    return f"{box.name!r} stands in line {before.line} already, as {before.kind}; give this one another name"


def _no_statement(said: str) -> str:
    if "<-" in said:
        right, _, left = said.partition("<-")
        return f"an arrow points to the right: write {cut(left.strip(' -'))} -> {cut(right.strip(' -'))}"
    words = said.split()
    if len(words) == 1 and NAME.fullmatch(said):
        return f"what is {said!r}? Write its kind behind a colon, such as {said}: {_guess(said)}"
    return f"{cut(said)!r} is neither a box nor an arrow; write such as app x3: app server, or app -> cache: GET code"


def cut(text: str, length: int = 40) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
