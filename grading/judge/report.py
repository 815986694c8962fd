"""The verdict on one component, as data and as a report: the same in a terminal, a notebook and a feedback page.

Pure standard library, so that anything may import it. `html` escapes whatever came from a component.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal

Outcome = Literal["pass", "fail", "unknown"]

SIGNS = {"pass": "✓", "fail": "✗", "unknown": "?"}
WORDS = {"pass": "passed", "fail": "failed", "unknown": "not shown"}
COLOURS = {"pass": "#00674f", "fail": "#a63a00", "unknown": "#5f5f5f"}
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


@dataclass(frozen=True, slots=True)
class RequirementVerdict:
    """All the points or none. `unknown`: the run never showed it, which earns nothing."""

    id: str
    title: str
    points: float
    max_points: float
    verdict: Outcome
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    slot: str
    points: float
    max_points: float
    isolation: str
    """`bubblewrap`, or `none`: then the component ran with your rights."""
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
        lines = [self._headline(), ""]
        for each in self.requirements:
            earned = f"{each.points:g}/{each.max_points:g}"
            lines.append(f"  {SIGNS[each.verdict]} {earned:>4}  {each.id:<15} {each.title}")
        if self.crashed:
            lines += ["", *_wrapped(self.crashed, "  ! ", "    ")]
        if details:
            for finding, concerned in self._findings():
                lines += ["", *_finding_lines(concerned, finding)]
        if self.output:
            lines += ["", "What the component printed (the beginning):"]
            lines += [f"  | {printable(line)}" for line in self.output.splitlines()]
        lines += ["", *(line for note in self._footnotes() for line in _wrapped(note, "", "  "))]
        return "\n".join(printable(line).rstrip() for line in lines).rstrip() + "\n"

    def html(self) -> str:
        """For a notebook or a feedback page: no scripts, everything from outside escaped."""
        rows = "".join(
            f'<tr><td style="text-align:left;color:{COLOURS[r.verdict]}">{SIGNS[r.verdict]} {WORDS[r.verdict]}</td>'
            f'<td style="text-align:right">{r.points:g} / {r.max_points:g}</td>'
            f'<td style="text-align:left"><code>{escape(r.id)}</code></td>'
            f'<td style="text-align:left">{escape(r.title)}</td></tr>'
            for r in self.requirements
        )
        headings = "".join(
            f'<th scope="col" style="text-align:left">{name}</th>'
            for name in ("verdict", "points", "requirement", "what it asks")
        )
        parts = [
            '<section role="region" aria-label="Verdict of the judge">',
            f"<h4>{escape(self._headline())}</h4>",
            f"<table><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>",
        ]
        if self.crashed:
            parts.append(f'<p role="alert"><strong>{escape(printable(self.crashed))}</strong></p>')
        for number, (finding, concerned) in enumerate(self._findings()):
            parts.append(_finding_html(concerned, finding, unfolded=number == 0))
        if self.output:
            text = "\n".join(printable(line) for line in self.output.splitlines())
            parts.append(
                f"<details><summary>What the component printed</summary><pre>{escape(text)}</pre></details>"
            )
        parts += [f"<p><small>{escape(note)}</small></p>" for note in self._footnotes()]
        return "\n".join(printable(line) for line in "".join([*parts, "</section>"]).split("\n"))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}

    def _findings(self) -> list[tuple[Finding, list[RequirementVerdict]]]:
        """Each finding once, with all requirements that it concerns."""
        found: dict[Finding, list[RequirementVerdict]] = {}
        for each in self.requirements:
            if each.finding is not None:
                found.setdefault(each.finding, []).append(each)
        return list(found.items())

    def _headline(self) -> str:
        return f"{self.slot}: {self.points:g} of {self.max_points:g} points"

    def _footnotes(self) -> list[str]:
        notes = list(self.notes)
        notes.append(
            f"Judged on {len(self.seeds)} seed{'s' if len(self.seeds) != 1 else ''}; time is virtual."
        )
        if self.isolation == "none":
            notes.append(
                "isolation: none – the component ran with your rights; judge only code that you trust."
            )
        return notes


def _requirement(data: dict[str, Any]) -> RequirementVerdict:
    finding = data.pop("finding")
    if finding is not None:
        example = finding.pop("counterexample")
        if example is not None:
            example = Counterexample(example["seed"], tuple(example["operations"]), tuple(example["faults"]))
        timeline = tuple(Moment(**moment) for moment in finding.pop("timeline"))
        finding = Finding(**finding, counterexample=example, timeline=timeline)
    return RequirementVerdict(**data, finding=finding)


def printable(text: str) -> str:
    """Without control characters: nothing that a component wrote may steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _five(finding: Finding, verdict: Outcome) -> list[tuple[str, str]]:
    unknown = verdict == "unknown"  # nothing went wrong
    return [
        ("what was done", finding.did),
        ("would show it" if unknown else "expected", finding.expected),
        ("not shown" if unknown else "what came back", finding.got),
        ("why it matters", finding.why),
        ("read next", finding.read_next),
    ]


def _seed(example: Counterexample) -> str:
    return "" if example.seed is None else f" (seed {example.seed})"


def _moment_lines(timeline: tuple[Moment, ...]) -> list[str]:
    lines = []
    for number, moment in enumerate(timeline, 1):
        first = f"{number:>4}  {moment.t:>9.4f} s  {printable(moment.who):<9} "
        at = f" (your~line~{moment.line})" if moment.line is not None else ""
        wrapped = _wrapped(f"{moment.what}{at}", first, " " * 29)
        if at:  # it stays in one piece
            wrapped[-1] = wrapped[-1].removesuffix(at.strip()) + at.strip().replace("~", " ")
        lines += wrapped
    return lines


def _heading(concerned: list[RequirementVerdict]) -> str:
    each = concerned[0]
    if len(concerned) == 1:
        return f"{SIGNS[each.verdict]} {each.id} – {each.title}"
    return f"{SIGNS[each.verdict]} {', '.join(c.id for c in concerned)}"


def _finding_lines(concerned: list[RequirementVerdict], finding: Finding) -> list[str]:
    lines = _wrapped(_heading(concerned), "", "  ")
    for label, text in _five(finding, concerned[0].verdict):
        lines += _wrapped(text, f"  {label + ':':<16}", " " * 18)
    if finding.counterexample is not None:
        lines += [f"  the smallest run found that shows it{_seed(finding.counterexample)}:"]
        for text in (*finding.counterexample.operations, *finding.counterexample.faults):
            lines += _wrapped(text, "    • ", "      ")
    if finding.timeline:
        lines += ["  what happened, in virtual time:"]
        lines += _moment_lines(finding.timeline)
    return lines


def _finding_html(concerned: list[RequirementVerdict], finding: Finding, *, unfolded: bool) -> str:
    items = "".join(
        f"<dt><em>{escape(label)}</em></dt><dd>{escape(printable(text))}</dd>"
        for label, text in _five(finding, concerned[0].verdict)
    )
    parts = [f"<dl>{items}</dl>"]
    if finding.counterexample is not None:
        entries = (*finding.counterexample.operations, *finding.counterexample.faults)
        bullets = "".join(f"<li>{escape(printable(text))}</li>" for text in entries)
        parts.append(
            f"<p>The smallest run found that shows it{_seed(finding.counterexample)}:</p><ul>{bullets}</ul>"
        )
    if finding.timeline:
        lines = "\n".join(_moment_lines(finding.timeline))
        parts.append(f"<p>What happened, in virtual time:</p><pre>{escape(lines)}</pre>")
    heading, colour = _heading(concerned), COLOURS[concerned[0].verdict]
    opened = " open" if unfolded else ""
    return (
        f'<details{opened}><summary style="color:{colour}"><strong>{escape(heading)}</strong></summary>'
        f"{''.join(parts)}</details>"
    )
