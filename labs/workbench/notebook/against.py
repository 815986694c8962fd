"""`against(design, topology)`: the drawing held against what runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

from grading.answers.design_layers import questions
from grading.answers.designs import KINDS, Design
from workbench.notebook.answer import Answer
from workbench.notebook.design import DesignWidget, read

RUNS_AS = {
    "edge": "cdn",
    "balancer": "load balancer",
    "app": "app server",
    "cache": "cache",
    "shard": "database",
    "log": "queue",
    "consumer": "worker",
    "keeper": "key service",
    "pool": "key service",
    "store": "analytics store",
}
"""By kind of a running role: the kind of box that it would be drawn as."""

NOT_APART = {
    "client": "You are the client, and so is the load of this notebook.",
    "cdn": 'Its stand-in, an edge cache, runs if it is asked for: Stack(settings={"edge": True}).',
    "replica": "The stack runs without replicas: each shard is one process.",
    "id generator": "No box of its own: each app server makes its own numbers; the store leases it a worker number.",
    "monitoring": "No box of its own: each process counts for itself, and stack.metrics() asks them all.",
}
"""By kind that runs nowhere: why not."""

SERVES_TOO = {
    "analytics store": "The store has the counts, and accounts and leases beside them.",
    "key service": "Keepers make codes beforehand; the pool keeps them.",
}
"""By kind: what is meant by it here."""


class RunningRole(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...


class RunningEdge(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def label(self) -> str: ...


class Running(Protocol):
    """Roles and edges: of `stack.topology()`, or of the topology that a stack is built from."""

    @property
    def roles(self) -> Iterable[RunningRole]: ...
    @property
    def edges(self) -> Iterable[RunningEdge]: ...


@dataclass(frozen=True, slots=True)
class Row:
    """Of one kind of box, or of arrows between two kinds. `says`: `both`, `drawn only` or `runs only`."""

    what: str
    drawn: str
    runs: str
    says: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`boxes` by kind, `arrows` by kinds of their ends."""

    boxes: tuple[Row, ...]
    arrows: tuple[Row, ...]
    left_out: tuple[str, ...] = ()
    """Lines of the drawing that cannot be read."""

    @property
    def drawn_only(self) -> list[str]:
        """What was drawn and does not run."""
        return [row.what for row in (*self.boxes, *self.arrows) if row.says == DRAWN]

    @property
    def runs_only(self) -> list[str]:
        """What runs and was not drawn."""
        return [row.what for row in (*self.boxes, *self.arrows) if row.says == RUNS]

    def headline(self) -> str:
        alike = sum(row.says == BOTH for row in self.boxes)
        return (
            f"Your drawing and what runs: {alike} kinds of box in both, "
            f"{len([r for r in self.boxes if r.says == DRAWN])} drawn only, "
            f"{len([r for r in self.boxes if r.says == RUNS])} running only."
        )

    def text(self) -> str:
        lines = [self.headline()]
        for title, rows in (("boxes", self.boxes), ("arrows", self.arrows)):
            table = [(title, "drawn", "runs", ""), *((r.what, r.drawn, r.runs, _says(r)) for r in rows)]
            widths = [max(len(row[column]) for row in table) for column in range(3)]
            lines.append("")
            for row, note in zip(table, ("", *(r.note for r in rows)), strict=True):
                cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
                lines.append("  ".join([*cells, row[3], note]).rstrip())
        if self.left_out:
            lines += ["", *self._notes()]
        return "\n".join(lines)

    def _notes(self) -> list[str]:
        return [f"Left out, for it cannot be read: {each}" for each in self.left_out]

    __str__ = __repr__ = text

    def html(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        tables = _table("boxes", self.boxes) + _table("arrows", self.arrows)
        return f"<p>{escape(self.headline())}</p>{tables}{notes}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


MANY = 2
BOTH, DRAWN, RUNS = "both", "drawn only", "runs only"
SIGNS = {BOTH: "=", DRAWN: "−", RUNS: "+"}


def against(design: str | Answer | DesignWidget | Design, topology: Any) -> Comparison:
    """What the drawing has that does not run, and what runs that is not drawn. `topology`: `stack.topology()`, or the
    stack itself. A line of the drawing that cannot be read is left out, and named."""
    found, problems = read(design)
    drawn, _ = questions(found)
    running: Running = topology.topology() if callable(getattr(topology, "topology", None)) else topology
    left_out = tuple(map(str, problems))
    return Comparison(tuple(_boxes(drawn, running)), tuple(_arrows(drawn, running)), left_out)


def _boxes(drawn: Design, running: Running) -> Iterable[Row]:
    here: dict[str, list[str]] = {"client": ["clients"]}
    for role in running.roles:
        here.setdefault(_kind(role), []).append(role.name)
    for kind in [*KINDS, *sorted(set(here) - set(KINDS))]:
        boxes, roles = drawn.of(kind), here.get(kind, [])
        if boxes or roles:
            wanted = ", ".join(f"{b.name} x{b.count}" if b.count > 1 else b.name for b in boxes)
            note = SERVES_TOO.get(kind, "") if roles else NOT_APART.get(kind, "")
            yield Row(kind, wanted, ", ".join(roles), _which(bool(boxes), bool(roles)), note)


def _arrows(drawn: Design, running: Running) -> Iterable[Row]:
    kinds = {role.name: _kind(role) for role in running.roles}
    entrance = next((role for role in running.roles if role.kind == "edge"), None)
    first = "cdn" if entrance is not None else "load balancer"
    here: dict[tuple[str, str], list[str]] = {}
    if first in kinds.values():
        here[("client", first)] = [f"clients -> {entrance.name if entrance else 'balancer'}"]
    for edge in running.edges:
        here.setdefault((kinds[edge.source], kinds[edge.target]), []).append(
            f"{edge.source} -> {edge.target}"
        )
    mine: dict[tuple[str, str], list[str]] = {}
    for arrow in drawn.arrows:
        ends = (drawn.kind(arrow.source), drawn.kind(arrow.target))
        if ends == ("queue", "worker"):  # who opens the connection is drawn either way
            ends = ("worker", "queue")
        mine.setdefault(ends, []).append(f"{arrow.source} -> {arrow.target}")
    together = _of_what_runs_nowhere(mine, {"client", *kinds.values()})
    order = list(KINDS)
    for ends in sorted(
        {*here, *mine}, key=lambda e: [order.index(k) if k in order else len(order) for k in e]
    ):
        if ends[0] != ends[1] or ends in mine:
            both = _which(ends in mine, ends in here)
            yield Row(" -> ".join(ends), _few(mine.get(ends, [])), _few(here.get(ends, [])), both)
    for kind, arrows in together.items():  # why it does not run is told with the boxes
        yield Row(f"{kind} -> others", _few(arrows), "", DRAWN)


def _of_what_runs_nowhere(mine: dict[tuple[str, str], list[str]], running: set[str]) -> dict[str, list[str]]:
    """By kind that does not run and asks many others: its arrows, taken out of `mine`, for one row is enough."""
    together: dict[str, list[str]] = {}
    for kind in sorted({kind for kind, _ in mine} - running):
        rows = [ends for ends in mine if ends[0] == kind]
        if len(rows) > MANY:
            together[kind] = [arrow for ends in rows for arrow in mine.pop(ends)]
    return together


def _kind(role: RunningRole) -> str:
    return RUNS_AS.get(role.kind, role.kind)


def _which(drawn: bool, runs: bool) -> str:
    return BOTH if drawn and runs else DRAWN if drawn else RUNS


def _few(names: list[str]) -> str:
    names = list(dict.fromkeys(names))
    return ", ".join(names[:2]) + (f", and {len(names) - 2} more" if len(names) > 2 else "")


def _says(row: Row) -> str:
    return f"{SIGNS[row.says]} {row.says}"


def _table(title: str, rows: Iterable[Row]) -> str:
    left = 'style="text-align:left;vertical-align:top"'
    heads = "".join(f'<th scope="col" {left}>{head}</th>' for head in (title, "drawn", "runs", "in", ""))
    body = "".join(
        f'<tr><th scope="row" {left}>{escape(row.what)}</th>'
        + "".join(f"<td {left}>{escape(cell)}</td>" for cell in (row.drawn, row.runs, _says(row), row.note))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
