"""What failed, to step through: lanes in virtual time, a scrubber, the learner's own line, hints for whoever asks.

A small widget in the manner of the charts. It gets plain texts without control characters, and sets them as text:
nothing that a component printed or raised is ever taken for HTML. All that it shows is in the written report, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from grading.judge.report import (
    SIGNS,
    WORDS,
    Finding,
    Moment,
    RequirementVerdict,
    Verdict,
    five_parts,
    from_seed,
    heading,
    hints_of,
    printable,
    source_lines,
)
from grading.judge.report_html import nested_hints, shown
from workbench.notebook.chart import STATIC
from workbench.notebook.widget import Widget

CALL = re.compile(r"(?P<name>[^:]+): .* on (?P<server>\S+)", re.DOTALL)
"""A client calls: `caller 1: resolve('x') on app-2`."""
ASKS = re.compile(r"(?:to|asks) the (?P<whom>[\w-]+(?: [\w-]+)?)(?: for [^:]+)?: ")
ANSWERS = re.compile(r"(?:answers|refuses) (?P<whom>[\w-]+)(?::|$)")
GAP = "…"
"""Who "does" what a timeline leaves out."""


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a timeline. `at`, `to`: lanes, where `to` is None if it concerns one alone."""

    t: str
    after: str
    """How long after the step before; empty if there is none."""
    who: str
    what: str
    line: int | None
    at: int | None
    """None: this row stands for moments that are left out."""
    to: int | None = None
    answer: bool = False
    """An answer, drawn dashed, and not a question."""
    last: int | None = None
    """Where no line ran: the number, from 0, of the step in which one of the same server last did."""
    server: str = ""
    """Whose step it is, of those that run the component."""
    faults: tuple[bool, bool] = (False, False)
    """Whether a fault was under way until this moment, and whether one is from here on."""


def steps(timeline: Sequence[Moment]) -> tuple[list[str], list[Step]]:
    """The lanes (client first, then servers, what they ask, the rest), and each moment between them."""
    arrows = _arrows(timeline)
    lanes = _lanes(timeline, arrows)
    under_way = _faults(timeline)
    made: list[Step] = []
    ran: dict[str, int] = {}
    for number, (moment, (start, end, answer)) in enumerate(zip(timeline, arrows, strict=True)):
        before = timeline[number - 1].t if number else None
        server = end if answer and end != "client" else start
        if moment.line is not None:
            ran[server] = number
        made.append(
            Step(
                t=f"{moment.t:.4f}",
                after=f"{moment.t - before:.4f}" if before is not None and moment.t >= before else "",
                who=printable(moment.who),
                what=printable(moment.what),
                line=moment.line,
                at=lanes.index(start) if moment.who != GAP else None,
                to=lanes.index(end) if end in lanes and end != start else None,
                answer=answer,
                last=ran.get(server) if moment.line is None and server != "client" else None,
                server=printable(server),
                faults=(number > 0 and under_way[number - 1], under_way[number]),
            )
        )
    return [printable(lane) for lane in lanes], made


def _arrows(timeline: Sequence[Moment]) -> list[tuple[str, str, bool]]:
    """(from, to, whether it answers) of each moment, read out of its text; to "" where it concerns one alone."""
    found: list[tuple[str, str, bool]] = []
    called: dict[str, str] = {}
    for moment in timeline:
        who, what = moment.who, moment.what
        if who == "client":
            found.append(_of_a_client(what, called))
        elif asked := ASKS.match(what):
            found.append((who, asked["whom"], False))
        elif answered := ANSWERS.match(what):
            found.append((who, answered["whom"], True))
        else:
            found.append((who, "", False))
    return found


def _of_a_client(what: str, called: dict[str, str]) -> tuple[str, str, bool]:
    """`called`: the server that each call went to; a new call is noted there."""
    name = next((name for name in called if what.startswith(f"{name} ")), None)
    if name is not None and what.startswith(f"{name} goes away"):
        return "client", called[name], False
    if name is not None and what.startswith(f"{name} gets "):
        return called[name], "client", True
    if call := CALL.fullmatch(what):
        called[call["name"]] = call["server"]
        return "client", call["server"], False
    return "client", "", False


def _faults(timeline: Sequence[Moment]) -> list[bool]:
    """For each moment, whether a fault is under way after it."""
    begun: set[str] = set()
    found: list[bool] = []
    for moment in timeline:
        kind, _, what = moment.what.partition(": ")
        if moment.who == "fault" and kind == "begins":
            begun.add(what)
        elif moment.who == "fault" and kind == "is over":
            begun.discard(what)
        found.append(bool(begun))
    return found


def _lanes(timeline: Sequence[Moment], arrows: Sequence[tuple[str, str, bool]]) -> list[str]:
    asking = {start for moment, (start, _, answer) in zip(timeline, arrows, strict=True) if not answer}
    asked = {end for _, end, answer in arrows if end and not answer} | {
        start for start, _, answer in arrows if answer
    }
    everybody = {moment.who for moment in timeline} | {end for _, end, _ in arrows if end}
    everybody |= {start for start, _, _ in arrows}

    def place(lane: str) -> tuple[int, str]:
        if lane == "client":
            return 0, lane
        if lane == "fault":
            return 4, lane
        server = lane in asking and any(a[0] == "client" and a[1] == lane for a in arrows)
        return (1 if server or lane.startswith("app") else 2 if lane in asked else 3), lane

    return sorted(everybody - {GAP}, key=place)


def describe(finding: Finding, concerned: list[RequirementVerdict]) -> dict[str, Any]:
    """A finding as the widget takes it."""
    verdict = concerned[0].verdict
    example = finding.counterexample
    lanes, made = steps(finding.timeline)
    return {
        "id": concerned[0].id,
        "verdict": verdict,
        "badge": f"{SIGNS[verdict]} {WORDS[verdict]}",
        "heading": printable(heading(concerned).removeprefix(SIGNS[verdict]).strip()),
        "five": [[label, printable(text)] for label, text in five_parts(finding, verdict)],
        "seed": from_seed(example) if example is not None else "",
        "run": [printable(text) for text in (*example.operations, *example.faults)] if example else [],
        "lanes": lanes,
        "steps": [asdict(step) for step in made],
        "hints": [printable(hint) for hint in hints_of(concerned)],
    }


def shown_source(slot: str, source: str) -> list[str]:
    """The lines of the cell. The first one of a component from a notebook stands for the magic's."""
    lines = source_lines(source)
    if lines[0] == "":
        lines[0] = f"%%component {slot}"
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


class FailuresWidget(Widget):
    """`findings`: of `describe`. `source`: the lines of the cell. `asked`: how many hints were asked for, by id."""

    _esm = "\n".join((STATIC / name).read_text("utf-8") for name in ("parts.js", "timeline.js"))
    _css = (STATIC / "timeline.css").read_text("utf-8")

    slot = traitlets.Unicode().tag(sync=True)
    findings: Any = traitlets.List().tag(sync=True)
    source: Any = traitlets.List().tag(sync=True)
    asked: Any = traitlets.Dict().tag(sync=True)

    def otherwise(self) -> dict[str, str]:
        """What the written report leaves to the widget: the hints."""
        names = ", ".join(each["id"] for each in self.findings)
        return {
            "text/plain": f"[JupyterLab steps through what failed here: {names}]",
            "text/html": self.hints_page(),
        }

    def hints_page(self) -> str:
        """Folded, one within the other, for pages without scripts."""
        return "".join(
            f"<details><summary>Hints for {shown(each['heading'])}</summary>{nested_hints(each['hints'])}</details>"
            for each in self.findings
            if each["hints"]
        )


def failures(verdict: Verdict, source: str) -> FailuresWidget | None:
    """None if there is nothing to step through, and no hint to ask for."""
    found = [describe(finding, concerned) for finding, concerned in verdict.findings()]
    if not any(each["steps"] or each["hints"] for each in found):
        return None
    return FailuresWidget(slot=verdict.slot, findings=found, source=shown_source(verdict.slot, source))
