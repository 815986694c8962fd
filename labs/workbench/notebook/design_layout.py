"""Where the boxes of a design lie in its picture: layer below layer, each box near those that it belongs to."""

from __future__ import annotations

from grading.answers.design_layers import LAYER, PLACE
from grading.answers.designs import Box, Design

WIDTH, HEIGHT = 132, 72
"""Of a box, in px."""
ASIDE, BELOW = 22, 56
"""Between two boxes of a layer, and between two layers."""
MARGIN = 14
ASIDE_OF_ALL = "monitoring"


def layout(design: Design) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
    """The middle of each box by name, and width and height of the picture."""
    rows: dict[int, list[Box]] = {}
    for box in design.boxes:
        if box.kind != ASIDE_OF_ALL:
            rows.setdefault(LAYER[box.kind], []).append(box)
    across: dict[str, float] = {}
    for _, row in sorted(rows.items()):
        _spread(design, row, across)
    _set_aside(design, rows, across)
    left = min(across.values(), default=0.0) - WIDTH / 2 - MARGIN
    right = max(across.values(), default=0.0) + WIDTH / 2 + MARGIN
    places = {}
    for number, (_, row) in enumerate(sorted(rows.items())):
        for box in row:
            places[box.name] = (across[box.name] - left, MARGIN + HEIGHT / 2 + number * (HEIGHT + BELOW))
    height = 2 * MARGIN + max(len(rows), 1) * (HEIGHT + BELOW) - BELOW
    return places, (right - left, float(height))


def _set_aside(design: Design, rows: dict[int, list[Box]], across: dict[str, float]) -> None:
    """What watches all others stands above them at the right, and draws none of them to itself."""
    top = rows.setdefault(min(rows, default=0), [])
    for box in design.of(ASIDE_OF_ALL):
        beside = max((across[each.name] + WIDTH + ASIDE for each in top), default=0.0)
        across[box.name] = max(beside, max(across.values(), default=0.0))
        top.append(box)


def _spread(design: Design, row: list[Box], across: dict[str, float]) -> None:
    """Places one layer: as near to those above that a box is joined to as there is room for."""
    wish = {box.name: _wish(design, box, across) for box in row}
    row = sorted(row, key=lambda box: (round(wish[box.name]), PLACE[box.kind], box.line))
    step = WIDTH + ASIDE
    found: list[float] = []
    for box in row:
        found.append(max(wish[box.name], found[-1] + step) if found else wish[box.name])
    shift = sum(wish[box.name] - x for box, x in zip(row, found, strict=True)) / len(row)
    for box, x in zip(row, found, strict=True):
        across[box.name] = x + shift


def _wish(design: Design, box: Box, across: dict[str, float]) -> float:
    joined = {a.target for a in design.arrows if a.source == box.name}
    joined |= {a.source for a in design.arrows if a.target == box.name}
    near = [across[name] for name in joined if name in across]
    return sum(near) / len(near) if near else 0.0
