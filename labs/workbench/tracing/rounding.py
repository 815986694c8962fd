"""Spans that were noted on a coarse clock, put where they must have been.

nginx knows milliseconds. Whoever asked it, and whom it asked, know microseconds; and a call lies within the call that
it is a part of. So a coarse span is moved by no more than it takes to lie within the outer one, and around the inner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Record = dict[str, Any]


def fitted(
    found: Mapping[str, Sequence[Mapping[str, Any]]], first: str, began: float, ended: float
) -> dict[str, list[Record]]:
    """A copy. `first`: the role that was asked, from `began` to `ended`, which is known exactly."""
    copy = {role: [dict(r) for r in records] for role, records in found.items()}
    chain = _chain(copy, first)
    inner = next((r for r in reversed(chain) if "rounded" not in r), None)
    for outer in chain:
        if "rounded" in outer:
            _fit(outer, began, ended, inner)
        began, ended = max(began, outer["began"]), min(ended, end_of(outer))
    return copy


def _chain(found: Mapping[str, list[Record]], role: str) -> list[Record]:
    """From the outermost inwards: passed on by one, asked of the next, ..., handled by the last."""
    chain: list[Record] = []
    seen = set()
    while role in found and role not in seen:
        seen.add(role)
        took = next((r for r in found[role] if r["name"] in ("pass on", "handle")), None)
        asks = [r for r in found[role] if r["name"] == "ask"]
        chain += [r for r in (took, *asks[-1:]) if r is not None]
        role = str(asks[-1]["to"]) if asks else ""
    return [r for r in chain if r["seconds"] is not None]


def _fit(r: Record, began: float, ended: float, inner: Record | None) -> None:
    first, last = max(began, r["began"]), min(ended, end_of(r))
    if inner is not None:
        first, last = min(first, inner["began"]), max(last, end_of(inner))
    r["began"], r["seconds"] = first, max(0.0, last - first)


def end_of(r: Mapping[str, Any]) -> float:
    """Of a span; one that is not over yet ends where it began."""
    return float(r["began"]) + float(r["seconds"] or 0.0)
