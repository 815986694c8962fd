"""A trace as a table: as text, and in HTML with a bar for each step that the client waited for."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.tracing.spans import Kind, Span, Trace

LATER = "The answer has left. Nobody waits for what follows:"
COLOURS: dict[Kind, str] = {
    "edge": "#CC79A7",
    "balancer": "#E69F00",
    "server": "#56B4E9",
    "cache": "#009E73",
    "store": "#D55E00",
    "pool": "#0072B2",
    "log": "#0072B2",
    "click": "#0072B2",
    "count": "#0072B2",
}
"""Okabe and Ito's. What a step is spent on stands beside it in words, too."""


def text(trace: Trace) -> str:
    rows = [(_at(span), _took(span), "  " * span.depth + span.where, span.text) for span in trace.spans]
    if not rows:
        return f"{trace.title}\nnothing was recorded"
    head = ("at ms", "took ms", "where", "what")
    wide = max(len(row[2]) for row in [head, *rows])
    lines = [f"{at:>8} {took:>8}  {where:<{wide}}  {what}" for at, took, where, what in [head, *rows]]
    if (first := _first_later(trace)) is not None:
        lines.insert(first + 1, f"{'':19}{LATER}")
    return "\n".join([trace.title, *lines])


def html(trace: Trace) -> str:
    head = "".join(
        f'<th scope="col" style="text-align:left">{name}</th>'
        for name in ("where", "what", "at (ms)", "took (ms)", "of the time that the client waited")
    )
    rows = [_row(span, trace.ms) for span in trace.spans]
    if (first := _first_later(trace)) is not None:
        rows.insert(first, f'<tr><td colspan="5" style="text-align:left"><em>{LATER}</em></td></tr>')
    caption = (
        f'<caption style="text-align:left;caption-side:top;font-weight:600">{escape(trace.title)}</caption>'
    )
    return f'<table style="margin:0">{caption}<thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _row(span: Span, whole: float) -> str:
    indent = f"text-align:left;font-weight:400;white-space:nowrap;padding-left:{0.5 + 1.2 * span.depth:.1f}em"
    number = "text-align:right;font-variant-numeric:tabular-nums"
    return (
        f'<tr><th scope="row" style="{indent}">{escape(span.where)}</th>'
        f'<td style="text-align:left">{escape(span.text)}</td>'
        f'<td style="{number}">{_at(span)}</td><td style="{number}">{_took(span)}</td>'
        f'<td style="text-align:left;min-width:220px">{_bar(span, whole)}</td></tr>'
    )


def _bar(span: Span, whole: float) -> str:
    if not span.waited or not whole or span.ms is None:
        return ""
    left = min(100.0, max(0.0, 100 * span.at / whole))
    width = min(100 - left, max(0.6, 100 * span.ms / whole))
    place = f"margin-left:{left:.1f}%;width:{width:.1f}%;height:0.8em;box-sizing:border-box"
    look = f"background:{COLOURS[span.kind]};border:1px solid #0008"
    return f'<div aria-hidden="true" style="width:220px"><div style="{place};{look}"></div></div>'


def _first_later(trace: Trace) -> int | None:
    return next((i for i, span in enumerate(trace.spans) if not span.waited), None)


def _at(span: Span) -> str:
    return f"{span.at:.1f}"


def _took(span: Span) -> str:
    return "not over" if span.ms is None else "–" if span.kind == "click" else f"{span.ms:.1f}"
