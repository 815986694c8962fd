"""The layers of a design: how far a kind of box is from the clients, and which arrows only lead an answer back."""

from __future__ import annotations

from grading.answers.designs import Arrow, Design

LAYERS: tuple[tuple[str, ...], ...] = (
    ("client",),
    ("cdn",),
    ("load balancer", "monitoring"),
    ("app server",),
    ("key service", "id generator", "cache", "database", "replica", "queue"),
    ("worker",),
    ("analytics store",),
)
"""From the clients on; within a layer, from the left."""

LAYER = {kind: number for number, kinds in enumerate(LAYERS) for kind in kinds}
PLACE = {kind: place for kinds in LAYERS for place, kind in enumerate(kinds)}


def questions(design: Design) -> tuple[Design, list[Arrow]]:
    """The design without arrows that lead an answer back, and those: into a client, or against another arrow to a
    box that is nearer to the clients. Between a queue and a worker either way is a question."""
    pairs = {(arrow.source, arrow.target) for arrow in design.arrows}
    answers = [arrow for arrow in design.arrows if _answers(design, arrow, pairs)]
    kept = tuple(arrow for arrow in design.arrows if arrow not in answers)
    return Design(design.boxes, kept), answers


def _answers(design: Design, arrow: Arrow, pairs: set[tuple[str, str]]) -> bool:
    source, target = LAYER[design.kind(arrow.source)], LAYER[design.kind(arrow.target)]
    if design.kind(arrow.target) == "client":
        return design.kind(arrow.source) != "monitoring"
    return (arrow.target, arrow.source) in pairs and target < source
