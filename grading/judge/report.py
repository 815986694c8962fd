"""The verdict on one component, as data and as a report: the same in a terminal, a notebook and a feedback page.

Pure standard library, so that anything may import it. `report_html` writes the page, which escapes whatever came from
a component.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Outcome = Literal["pass", "fail", "unknown"]

SIGNS = {"pass": "✓", "fail": "✗", "unknown": "?"}
WORDS = {"pass": "passed", "fail": "failed", "unknown": "not shown"}
WIDTH = 80
"""Columns of a terminal that nobody widened."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline. `t`: virtual seconds since the run began; `line`: of the component, running then."""

    t: float
    who: str
    what: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest run found that still fails."""

    seed: int | None
    """None where it is secret: in the report of a mark."""
    operations: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a requirement was not passed, in five parts, with the smallest counterexample and its timeline."""

    did: str
    expected: str
    got: str
    why: str
    read_next: str
    counterexample: Counterexample | None = None
    timeline: tuple[Moment, ...] = ()
    kind: str = field(default="", compare=False)
    """The same for the same mistake, in whichever run it showed: what one learner has in common with another."""


@dataclass(frozen=True, slots=True)
class RequirementVerdict:
    """All the points or none. `unknown`: the run never showed it, which earns nothing."""

    id: str
    title: str
    points: float
    max_points: float
    verdict: Outcome
    finding: Finding | None = None
    hints: tuple[str, ...] = ()
    """From vague to concrete, never the solution. Nobody sees one before asking for it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    slot: str
    points: float
    max_points: float
    isolation: str
    """`bubblewrap`, or `none`: then the component ran with your rights. `data`: an answer, of which nothing runs."""
    seeds: tuple[int, ...]
    requirements: tuple[RequirementVerdict, ...]
    crashed: str | None = None
    """What concerns (nearly) all requirements: it did not load, ended its process, looped for ever; or one exception
    that most of them fail by."""
    output: str = ""
    """The beginning of what the component printed."""
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return self.points == self.max_points

    def to_json(self) -> str:
        """The same verdict gives the same bytes."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """ValueError, KeyError or TypeError if `text` is not a verdict."""
        data = json.loads(text)
        requirements = tuple(_requirement(each) for each in data.pop("requirements"))
        return cls(
            seeds=tuple(data.pop("seeds")), notes=tuple(data.pop("notes")), requirements=requirements, **data
        )

    # --- reports

    def text(self, *, details: bool = True) -> str:
        """For a terminal. `details=False`: the table alone."""
        return written(self, details=details)

    def hints_text(self, count: int) -> str:
        """The first `count` hints of each requirement that was lost and has some; empty if there is none."""
        lines: list[str] = []
        for _, concerned in self.findings():
            for number, hint in enumerate(hints_of(concerned)[:count], 1):
                if number == 1:
                    lines += ["", *_wrapped(heading(concerned), "", "  ")]
                label = f"hint {number} of {len(hints_of(concerned))}:"
                lines += _wrapped(hint, f"  {label:<16}", " " * 18)
        return "\n".join([*lines[1:], ""]) if lines else ""

    def html(self) -> str:
        """For a notebook or a feedback page: no scripts, everything from outside escaped."""
        from grading.judge import report_html  # it imports this module

        return report_html.page(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}

    def findings(self) -> list[tuple[Finding, list[RequirementVerdict]]]:
        """Each finding once, with all requirements that it concerns. What was not shown, for one reason, is told once,
        in the first one's words, without what is that requirement's alone."""
        found: dict[Finding | str, list[RequirementVerdict]] = {}
        for each in self.requirements:
            if each.finding is not None:
                key = each.finding.expected if each.verdict == "unknown" else each.finding
                found.setdefault(key, []).append(each)
        return [(_of_all(concerned), concerned) for concerned in found.values()]

    def headline(self) -> str:
        return f"{self.slot}: {self.points:g} of {self.max_points:g} points"

    def footnotes(self) -> list[str]:
        notes = list(self.notes)
        if self.isolation != "data":
            notes.append(
                f"Judged on {len(self.seeds)} seed{'s' if len(self.seeds) != 1 else ''}; time is virtual."
            )
        if self.isolation == "none":
            notes.append(
                "isolation: none – the component ran with your rights; judge only code that you trust."
            )
        return notes


def _requirement(data: dict[str, Any]) -> RequirementVerdict:
    finding, hints = data.pop("finding"), tuple(data.pop("hints", ()))
    if finding is not None:
        example = finding.pop("counterexample")
        if example is not None:
            example = Counterexample(example["seed"], tuple(example["operations"]), tuple(example["faults"]))
        timeline = tuple(Moment(**moment) for moment in finding.pop("timeline"))
        finding = Finding(**finding, counterexample=example, timeline=timeline)
    return RequirementVerdict(**data, finding=finding, hints=hints)


def _of_all(concerned: list[RequirementVerdict]) -> Finding:
    finding = concerned[0].finding
    assert finding is not None
    if len(concerned) > 1 and concerned[0].verdict == "unknown":
        return replace(finding, did="", why="", read_next="")
    return finding


def written(verdict: Verdict, *, details: bool = True, source: str = "") -> str:
    """The report as a text. `source`: of the component, where it is known, to quote the lines that ran."""
    lines = [verdict.headline(), ""]
    for each in verdict.requirements:
        earned = f"{each.points:g}/{each.max_points:g}"
        lines.append(f"  {SIGNS[each.verdict]} {earned:>4}  {each.id:<15} {each.title}")
    if verdict.crashed:
        lines += ["", *_wrapped(verdict.crashed, "  ! ", "    ")]
    if details:
        for finding, concerned in verdict.findings():
            lines += ["", *_finding_lines(concerned, finding, source)]
    if verdict.output:
        lines += ["", "What the component printed (the beginning):"]
        lines += [f"  | {printable(line)}" for line in verdict.output.splitlines()]
    lines += ["", *(line for note in verdict.footnotes() for line in _wrapped(note, "", "  "))]
    return "\n".join(printable(line).rstrip() for line in lines).rstrip() + "\n"


def printable(text: str) -> str:
    """Without control characters: nothing that a component wrote may steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def source_lines(source: str) -> list[str]:
    """The lines of a component's text as Python counts them, each fit to be shown."""
    return [printable(line.expandtabs(4).rstrip()) for line in re.split(r"\r\n|\r|\n", source)]


def lines_that_ran(timeline: tuple[Moment, ...], source: str) -> list[tuple[int, str]]:
    """(number, text) of each line of `source` that a timeline names."""
    lines = source_lines(source)
    named = sorted({each.line for each in timeline if each.line is not None})
    return [(number, lines[number - 1]) for number in named if source and 0 < number <= len(lines)]


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def five_parts(finding: Finding, verdict: Outcome) -> list[tuple[str, str]]:
    """(label, text) of those that say something."""
    unknown = verdict == "unknown"  # nothing went wrong
    parts = [
        ("what was done", finding.did),
        ("would show it" if unknown else "expected", finding.expected),
        ("not shown" if unknown else "what came back", finding.got),
        ("why it matters", finding.why),
        ("read next", finding.read_next),
    ]
    return [(label, text) for label, text in parts if text]


def from_seed(example: Counterexample) -> str:
    return "" if example.seed is None else f" (seed {example.seed})"


def moment_lines(timeline: tuple[Moment, ...]) -> list[str]:
    lines = []
    for number, moment in enumerate(timeline, 1):
        first = f"{number:>4}  {moment.t:>9.4f} s  {printable(moment.who):<9} "
        at = f" (your~line~{moment.line})" if moment.line is not None else ""
        wrapped = _wrapped(f"{moment.what}{at}", first, " " * 29)
        if at:  # it stays in one piece
            wrapped[-1] = wrapped[-1].removesuffix(at.strip()) + at.strip().replace("~", " ")
        lines += wrapped
    return lines


def hints_of(concerned: list[RequirementVerdict]) -> tuple[str, ...]:
    """None where one mistake loses several requirements: it comes first, and their hints would lead away from it."""
    return concerned[0].hints if len(concerned) == 1 else ()


def heading(concerned: list[RequirementVerdict]) -> str:
    """For a finding: its sign, and the requirements that it concerns."""
    each = concerned[0]
    if len(concerned) == 1:
        return f"{SIGNS[each.verdict]} {each.id} – {each.title}"
    return f"{SIGNS[each.verdict]} {', '.join(c.id for c in concerned)}"


def _finding_lines(concerned: list[RequirementVerdict], finding: Finding, source: str) -> list[str]:
    lines = _wrapped(heading(concerned), "", "  ")
    for label, text in five_parts(finding, concerned[0].verdict):
        lines += _wrapped(text, f"  {label + ':':<16}", " " * 18)
    if finding.counterexample is not None:
        lines += [f"  the smallest run found that shows it{from_seed(finding.counterexample)}:"]
        for text in (*finding.counterexample.operations, *finding.counterexample.faults):
            lines += _wrapped(text, "    • ", "      ")
    if finding.timeline:
        lines += ["  what happened, in virtual time:"]
        lines += moment_lines(finding.timeline)
        if quoted := lines_that_ran(finding.timeline, source):
            lines += ["  your lines in it:", *(_cut(f"{number:>6} | {line}") for number, line in quoted)]
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
