"""A design that is being drawn: its text, and what can be done to it line by line.

The text is the truth. Each change rewrites the lines that it concerns and leaves all others, comments too, as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from grading.answers.designs import (
    MAX_BOXES,
    MAX_COUNT,
    MAX_LABEL,
    NAME,
    Arrow,
    Box,
    Design,
    Problem,
    arrow_line,
    box_line,
    comment,
    fresh_name,
    kind_of,
    parse,
)

MAX_STEPS = 200
"""So many changes can be undone."""


class NotDone(ValueError):
    """The change cannot be made; the message says why."""


class Drawing:
    """`text`: as in a cell; its first line stands for the cell's `%%answer` line."""

    def __init__(self, text: str) -> None:
        self.design: Design
        self.problems: list[Problem]
        self._before: list[str] = []
        self._after: list[str] = []
        self._read(text)

    def _read(self, text: str) -> None:
        self.text = text
        self.design, self.problems = parse(text)

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        return bool(self._after)

    def write(self, text: str) -> None:
        """Another text. The one before can be had back."""
        if text != self.text:
            self._before = [*self._before, self.text][-MAX_STEPS:]
            self._after.clear()
            self._read(text)

    def undo(self) -> None:
        """NotDone: nothing was changed yet."""
        self._go(self._before, self._after, "nothing was changed yet")

    def redo(self) -> None:
        """NotDone: nothing was undone."""
        self._go(self._after, self._before, "nothing was undone")

    def _go(self, here: list[str], there: list[str], if_none: str) -> None:
        if not here:
            raise NotDone(if_none)
        there.append(self.text)
        self._read(here.pop())

    # --- boxes

    def add(self, kind: str) -> str:
        """A box of that kind below the last one; gives back its name."""
        if len(self.design.boxes) >= MAX_BOXES:
            raise NotDone(f"{MAX_BOXES} boxes are there already")
        box = Box(fresh_name(_kind(kind), self._names()), _kind(kind))
        last = max((each.line for each in self.design.boxes), default=0)
        self._insert(box_line(box), last)
        return box.name

    def rename(self, name: str, to: str) -> None:
        to = to.strip()
        if to == name:
            return
        box = self._box(name)
        if not NAME.fullmatch(to):
            raise NotDone(f"{to!r} is no name: small letters, digits and hyphens, a letter first")
        if to in self._names():
            raise NotDone(f"another box is called {to!r}")

        def renamed(arrow: Arrow) -> Arrow:
            ends = [to if end == name else end for end in (arrow.source, arrow.target)]
            return replace(arrow, source=ends[0], target=ends[1])

        self._rewrite(box_changes={box.line: replace(box, name=to)}, arrows=renamed)

    def count(self, name: str, count: int) -> None:
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_COUNT:
            raise NotDone(f"a count goes from 1 to {MAX_COUNT:,}")
        box = self._box(name)
        self._rewrite(box_changes={box.line: replace(box, count=count)})

    def kind(self, name: str, kind: str) -> None:
        box = self._box(name)
        self._rewrite(box_changes={box.line: replace(box, kind=_kind(kind))})

    def delete(self, name: str) -> None:
        """With all its arrows."""
        box = self._box(name)
        self._rewrite(
            box_changes={box.line: None},
            arrows=lambda arrow: None if name in (arrow.source, arrow.target) else arrow,
        )

    # --- arrows

    def connect(self, source: str, target: str) -> None:
        for name in (source, target):
            self._box(name)
        if source == target:
            raise NotDone("an arrow leads from one box to another")
        if any((a.source, a.target) == (source, target) for a in self.design.arrows):
            raise NotDone(f"there is an arrow from {source} to {target} already")
        same = [a.line for a in self.design.arrows if a.source == source]
        lines = same or [a.line for a in self.design.arrows] or [b.line for b in self.design.boxes]
        self._insert(arrow_line(source, [target]), max(lines))

    def disconnect(self, source: str, target: str) -> None:
        self._arrow(source, target)
        self._rewrite(arrows=lambda a: None if (a.source, a.target) == (source, target) else a)

    def label(self, source: str, target: str, label: str) -> None:
        """What flows. Other arrows of the same line keep theirs."""
        self._arrow(source, target)
        label = " ".join(label.split())
        if len(label) > MAX_LABEL:
            raise NotDone(f"{MAX_LABEL} characters must do")
        if "#" in label:
            raise NotDone("a # begins a comment; say it without")
        wanted = (source, target)
        first = next(a.line for a in self.design.arrows if (a.source, a.target) == wanted)

        def labelled(arrow: Arrow) -> Arrow | None:
            if (arrow.source, arrow.target) != wanted:
                return arrow
            return replace(arrow, label=label) if arrow.line == first else None  # one arrow, one label

        self._rewrite(arrows=labelled)

    # --- lines

    def _names(self) -> list[str]:
        return [box.name for box in self.design.boxes]

    def _box(self, name: str) -> Box:
        if name not in self.design:
            raise NotDone(f"no box is called {name!r}")
        return self.design[name]

    def _arrow(self, source: str, target: str) -> None:
        if not any((a.source, a.target) == (source, target) for a in self.design.arrows):
            raise NotDone(f"no arrow leads from {source!r} to {target!r}")

    def _insert(self, line: str, after: int) -> None:
        """Below line `after`; below the last line that says something, if that is 0."""
        lines = self.text.split("\n")
        if not after:
            after = max((n for n, each in enumerate(lines, 1) if each.strip()), default=1)
        self.write("\n".join([*lines[:after], line, *lines[after:]]))

    def _rewrite(
        self,
        box_changes: dict[int, Box | None] | None = None,
        arrows: Callable[[Arrow], Arrow | None] = lambda arrow: arrow,
    ) -> None:
        """Boxes by line, None to take one away; `arrows` says of each what becomes of it."""
        lines: list[str | None] = list(self.text.split("\n"))
        for number, box in (box_changes or {}).items():
            lines[number - 1] = None if box is None else box_line(box) + comment(lines[number - 1] or "")
        for number in {arrow.line for arrow in self.design.arrows}:
            before = [arrow for arrow in self.design.arrows if arrow.line == number]
            after = [new for arrow in before if (new := arrows(arrow)) is not None]
            if after != before:
                if any(each.line == number for each in self.problems):
                    raise NotDone(f"line {number} has a mistake; mend it in the text first")
                lines[number - 1] = _joined(after, comment(lines[number - 1] or ""))
        self.write("\n".join(line for line in lines if line is not None))


def _joined(arrows: list[Arrow], behind: str) -> str | None:
    """The arrows of one line, written again: a line for each label."""
    if not arrows:
        return None
    by_label: dict[str, list[str]] = {}
    for arrow in arrows:
        by_label.setdefault(arrow.label, []).append(arrow.target)
    written = [arrow_line(arrows[0].source, targets, label) for label, targets in by_label.items()]
    return "\n".join([*written[:-1], written[-1] + behind])


def _kind(kind: str) -> str:
    found = kind_of(kind)
    if found is None:
        raise NotDone(f"{kind!r} is no kind of box")
    return found
