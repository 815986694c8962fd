"""The verdict as a piece of HTML: no scripts, so that a feedback page may show it; it reads well in any theme.

Every text is escaped, and without control characters. Colours come with their own background: none depends on the
page's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from grading.judge.report import (
    SIGNS,
    WORDS,
    Finding,
    Outcome,
    RequirementVerdict,
    Verdict,
    five_parts,
    from_seed,
    heading,
    hints_of,
    lines_that_ran,
    moment_lines,
    printable,
)

COLOURS = {"pass": "#00674f", "fail": "#a63a00", "unknown": "#5f5f5f"}
"""Of a verdict's badge. White on each of them has a contrast above 6."""
LEFT = 'style="text-align:left"'


def page(verdict: Verdict, *, unfolded: bool = True, hints: bool = True, source: str = "") -> str:
    """`unfolded`: the first finding is open; else all are shut, for there is a livelier form below. `hints`: they are
    there, folded one within the other. `source`: of the component, where it is known, to quote the lines that ran."""
    parts = [
        '<section role="region" aria-label="Verdict of the judge">',
        f"<h4>{shown(verdict.headline())}</h4>",
        _table(verdict.requirements),
    ]
    if verdict.crashed:
        parts.append(f'<p role="alert"><strong>{shown(verdict.crashed)}</strong></p>')
    as_text = "" if unfolded else ", as text"
    for number, (finding, concerned) in enumerate(verdict.findings()):
        steps = nested_hints(hints_of(concerned)) if hints else ""
        body = _finding(finding, concerned[0].verdict, source) + steps
        title = marked(heading(concerned).removeprefix(SIGNS[concerned[0].verdict]).lstrip())
        parts.append(
            f"<details{' open' if unfolded and number == 0 else ''}>"
            f"<summary>{badge(concerned[0].verdict)} <strong>{title}</strong>{as_text}</summary>{body}</details>"
        )
    if verdict.output:
        text = "\n".join(shown(line) for line in verdict.output.splitlines())
        parts.append(f"<details><summary>What the component printed</summary><pre>{text}</pre></details>")
    parts += [f"<p><small>{shown(note)}</small></p>" for note in verdict.footnotes()]
    return "".join([*parts, "</section>"])


def shown(text: str) -> str:
    return escape(printable(text))


def marked(text: str) -> str:
    """The same, with what stands between backticks as code."""
    return re.sub(r"`([^`\n]{1,80})`", r"<code>\1</code>", shown(text))


def badge(verdict: Outcome) -> str:
    style = f"background:{COLOURS[verdict]};color:#fff;padding:0 .4em;border-radius:3px;white-space:nowrap"
    return f'<span style="{style}">{SIGNS[verdict]} {WORDS[verdict]}</span>'


def nested_hints(hints: Sequence[str], number: int = 1) -> str:
    """Each hint folded within the one before it."""
    if number > len(hints):
        return ""
    return (
        f'<details style="margin-left:1em"><summary>Hint {number} of {len(hints)}</summary>'
        f"<p>{marked(hints[number - 1])}</p>{nested_hints(hints, number + 1)}</details>"
    )


def _table(requirements: Sequence[RequirementVerdict]) -> str:
    rows = "".join(
        f"<tr><td {LEFT}>{badge(each.verdict)}</td>"
        f'<td style="text-align:right">{each.points:g} / {each.max_points:g}</td>'
        f"<td {LEFT}><code>{shown(each.id)}</code></td><td {LEFT}>{marked(each.title)}</td></tr>"
        for each in requirements
    )
    names = ("verdict", "points", "requirement", "what it asks")
    headings = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in names)
    return f"<table><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>"


def _finding(finding: Finding, verdict: Outcome, source: str) -> str:
    items = "".join(
        f"<dt><em>{shown(label)}</em></dt><dd>{marked(text)}</dd>"
        for label, text in five_parts(finding, verdict)
    )
    parts = [f"<dl>{items}</dl>"]
    if finding.counterexample is not None:
        entries = (*finding.counterexample.operations, *finding.counterexample.faults)
        bullets = "".join(f"<li>{shown(text)}</li>" for text in entries)
        seed = from_seed(finding.counterexample)
        parts.append(f"<p>The smallest run found that shows it{seed}:</p><ul>{bullets}</ul>")
    if finding.timeline:
        lines = "\n".join(shown(line) for line in moment_lines(finding.timeline))
        parts.append(f"<p>What happened, in virtual time:</p><pre>{lines}</pre>")
        if quoted := lines_that_ran(finding.timeline, source):
            text = "\n".join(f"{number:>4}  {shown(line)}" for number, line in quoted)
            parts.append(f"<p>Your lines in it:</p><pre>{text}</pre>")
    return "".join(parts)
