"""`design(...)`: a learner draws an architecture, with the mouse, with the keyboard alone or as text.

What is drawn is judged while it grows, by the rules by which the answer is judged later. The picture, the text and the
list of what is missing show one and the same design; the text is what the `%%answer` cell keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import traitlets

from grading.answers import MAX_TEXT, exercise, own_part
from grading.answers.design_exercise import Designs
from grading.answers.design_layers import questions
from grading.answers.design_load import RULES as FLOW_RULES
from grading.answers.design_load import Load, amount, cost, loads, ratio
from grading.answers.design_picture import mermaid
from grading.answers.designs import KINDS, Design, Problem, parse
from grading.judge.report import SIGNS, RequirementVerdict
from workbench.notebook.answer import Answer
from workbench.notebook.chart import STATIC
from workbench.notebook.design_layout import HEIGHT, WIDTH, layout
from workbench.notebook.drawing import Drawing, NotDone
from workbench.notebook.experiment import card
from workbench.notebook.widget import Widget


class DesignWidget(Widget):
    """A design on the screen. `text`: as it stands now; `state`: all that the page shows of it."""

    _esm = "\n".join(
        (STATIC / name).read_text("utf-8") for name in ("parts.js", "design_cell.js", "design.js")
    )
    _css = (STATIC / "design.css").read_text("utf-8")

    answer = traitlets.Unicode().tag(sync=True)
    kinds: Any = traitlets.List().tag(sync=True)
    size: Any = traitlets.List().tag(sync=True)
    figures: Any = traitlets.Dict().tag(sync=True)
    state: Any = traitlets.Dict().tag(sync=True)

    def __init__(self, text: str, asked: Designs) -> None:
        super().__init__(answer=asked.id, kinds=list(KINDS), size=[WIDTH, HEIGHT], figures=_figures(asked))
        self.asked = asked
        self.drawing = Drawing(text)
        self._show("")
        self.on_msg(self._told)

    @property
    def text(self) -> str:
        """Of the cell, its first line empty."""
        return self.drawing.text

    @property
    def design(self) -> Design:
        return self.drawing.design

    def _told(self, _: Any, message: Any, __: Any) -> None:
        """From the page: {"kind": …} with what it needs; see `_do`."""
        if isinstance(message, dict):
            try:
                said, chosen = self._do(message)
            except NotDone as error:
                self._show(f"Not done: {error}.", None, message, refused=True)
            else:
                self._show(said, chosen, message)

    def _do(self, message: dict[str, Any]) -> tuple[str, str | None]:
        """(what was done, the box to select). NotDone says why not."""
        drawing = self.drawing
        name, other, value = (str(message.get(key, "")) for key in ("name", "other", "value"))
        match message.get("kind"):
            case "text":
                drawing.write("\n" + value.replace("\r\n", "\n")[:MAX_TEXT])
                return "", None
            case "add":
                name = drawing.add(value)
                return f"Added {name}.", name
            case "rename":
                drawing.rename(name, value)
                return f"{name} is now {value.strip()}.", value.strip()
            case "count":
                drawing.count(name, message.get("value"))  # type: ignore[arg-type]
                return f"{name}: {value}.", name
            case "sort":
                drawing.kind(name, value)
                return f"{name} is now of kind {value}.", name
            case "delete":
                drawing.delete(name)
                return f"Deleted {name} and its arrows.", None
            case "connect":
                drawing.connect(name, other)
                return f"Arrow from {name} to {other}.", name
            case "disconnect":
                drawing.disconnect(name, other)
                return f"Removed the arrow from {name} to {other}.", name
            case "label":
                drawing.label(name, other, value)
                return f"{name} to {other}: {value or 'nothing said'}.", name
            case "undo":
                drawing.undo()
                return "Undone.", None
            case "redo":
                drawing.redo()
                return "Done again.", None
        raise NotDone("that is no change that a drawing knows")

    def _show(
        self,
        said: str,
        chosen: str | None = None,
        asking: Mapping[str, Any] | None = None,
        *,
        refused: bool = False,
    ) -> None:
        """`asking`: the message that this answers; a page tells by its `view` and `revision` that it is its own."""
        drawing, brief = self.drawing, self.asked.brief
        design = drawing.design
        found = self.asked.judge_design(design)
        met = sum(each.verdict == "pass" for each in found)
        if drawing.problems:
            lines = len(drawing.problems)
            outcome = f"{lines} line{'s' if lines > 1 else ''} cannot be read."
        else:
            outcome = f"{met} of {len(found)} requirements are met."
        self.state = {
            "revision": (asking or {}).get("revision", 0),
            "view": (asking or {}).get("view", ""),
            "text": drawing.text.partition("\n")[2],
            "problems": [{"line": each.line, "says": each.says} for each in drawing.problems],
            "asked": [_asked(each) for each in found],
            "outcome": outcome,
            "money": f"{amount(cost(design, brief))} {brief.currency} a month; the budget is {amount(brief.budget)}.",
            "said": f"{said} {outcome}" if said else outcome,
            "refused": refused,
            "chosen": chosen,
            "undo": drawing.can_undo,
            "redo": drawing.can_redo,
            **_picture(design, loads(questions(design)[0], brief)),
        }

    def trouble(self) -> dict[str, str]:
        """By name of each box that gets more than it takes: how much more."""
        found = loads(questions(self.design)[0], self.asked.brief)
        return {
            name: f"overloaded: {ratio(load.share)} what it takes"
            for name, load in found.items()
            if load.over
        }

    def __str__(self) -> str:
        rows = [f"{what}: {said}" for what, said in self.rows()]
        return "\n".join([f"A design for {self.asked.id}:", *(f"    {row}" for row in rows)])

    def rows(self) -> list[tuple[str, str]]:
        """(what, what is said of it): the drawing in words, then what it lacks."""
        rows = self.asked.read_back(self.text)
        if self.drawing.problems:
            return rows
        lacking = [each for each in self.state["asked"] if each["verdict"] != "pass"]
        return rows + [(f"{each['sign']} {each['title']}", each["got"]) for each in lacking]

    def html(self) -> str:
        """For where there is no kernel behind the page."""
        head = f"<p>A design for <code>{escape(self.asked.id)}</code>, read as</p>"
        return head + card(self.rows())

    def otherwise(self) -> dict[str, str]:
        return {"text/plain": str(self), "text/vnd.mermaid": mermaid(self.design, self.trouble())}


def design(drawn: str | Answer = "", id: str = "url-shortener/design") -> DesignWidget:
    """A design to draw on. `drawn`: what an `%%answer` cell left behind, or lines such as `app x3: app server`.

    ValueError: `id` is no answer that is drawn.
    """
    id = drawn.id if isinstance(drawn, Answer) else id
    asked = exercise(id)
    if not isinstance(asked, Designs):
        raise ValueError(f"{id!r} is no design; its kind is {asked.kind}")
    text = (
        own_part(drawn.text)
        if isinstance(drawn, Answer)
        else f"\n{drawn.strip()}\n"
        if drawn.strip()
        else "\n"
    )
    return DesignWidget(text[:MAX_TEXT], asked)


def read(drawn: str | Answer | DesignWidget | Design) -> tuple[Design, list[Problem]]:
    """The design behind whatever carries one, and the lines of it that cannot be read."""
    if isinstance(drawn, Design):
        return drawn, []
    if isinstance(drawn, DesignWidget):
        return drawn.design, drawn.drawing.problems
    return parse(own_part(drawn.text) if isinstance(drawn, Answer) else drawn)


def _asked(each: RequirementVerdict) -> dict[str, str]:
    finding = each.finding
    return {
        "id": each.id,
        "verdict": each.verdict,
        "sign": SIGNS[each.verdict],
        "title": each.title,
        "got": finding.got if finding is not None else "",
        "why": finding.why if finding is not None else "",
    }


def _picture(design: Design, carried: dict[str, Load]) -> dict[str, Any]:
    """Boxes with their places and loads, and arrows, several between the same two boxes as one."""
    places, paper = layout(design)
    labels: dict[tuple[str, str], list[str]] = {}
    for arrow in design.arrows:
        labels.setdefault((arrow.source, arrow.target), []).append(arrow.label)
    boxes = []
    for box in design.boxes:
        load = carried[box.name]
        limited = load.usable > 0
        told = f"{amount(load.gets)} of {amount(load.usable)}" if limited else ""
        over = f"overloaded: {ratio(load.share)} what it takes" if load.over else ""
        boxes.append(
            {
                "name": box.name,
                "kind": box.kind,
                "count": box.count,
                "x": places[box.name][0],
                "y": places[box.name][1],
                "load": told,
                "what": load.what,
                "share": load.share,
                "over": over,
            }
        )
    arrows = [
        {"from": source, "to": target, "label": "; ".join(label for label in said if label)}
        for (source, target), said in labels.items()
    ]
    return {"boxes": boxes, "arrows": arrows, "paper": list(paper)}


def _figures(asked: Designs) -> dict[str, Any]:
    """What the exercise states, as the table below the drawing."""
    brief = asked.brief
    share = f"{brief.hit_rate:.0%}".replace("%", " %")
    usable = f"{brief.utilisation:.0%}".replace("%", " %")
    stated = [
        f"{amount(brief.reads)} redirects/s and {amount(brief.writes)} new links/s on average, "
        f"{brief.peak:g} times as many at the peak: {amount(brief.reads_at_peak)} and {amount(brief.writes_at_peak)}.",
        f"{share} of the redirects find their link in the cache. {brief.batch:g} clicks make one row of counts.",
        f"Of what a machine can take, {usable} may be used. "
        f"The budget is {amount(brief.budget)} {brief.currency} a month.",
    ]
    rows = [
        [
            kind,
            f"{amount(part.capacity)} {part.what}" if part.capacity else "not counted",
            amount(part.capacity * brief.utilisation) if part.capacity else "",
            amount(part.price),
        ]
        for kind, part in brief.parts.items()
    ]
    heads = ["kind", "one machine takes", f"at {usable}", f"{brief.currency} a month"]
    return {"stated": stated, "heads": heads, "rows": rows, "rules": list(FLOW_RULES)}
