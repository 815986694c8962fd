"""How far one profile can be believed about another: the same faults, the same load, and what users met on each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.chaos.table import JOURNEYS

Records = Mapping[str, Mapping[str, Any]]
"""By fault: what `table.record` gives."""

HEAD = """# Journeys and faults

Made by `workbench chaos --profile PROFILE --keep`: what became of each journey while a fault lasted, 74 requests a
second in an open loop. A journey works if at most 2 % of its requests fail and its p99 is below a second, fails if 90 %
fail, and is degraded in between. "Well after": seconds from the order to end the fault to the last failed request.
"""


def page(found: Mapping[str, Records], predicted: Mapping[str, Mapping[str, str]]) -> str:
    """`found`: by profile."""
    parts = [HEAD]
    for profile, records in found.items():
        parts += [f"## On `{profile}`\n", whole(records, predicted)]
    parts += ["## What was predicted otherwise\n", surprises(found.get("compose", {}), predicted)]
    if {"embedded", "compose"} <= set(found):
        parts += [
            "## What `embedded` said otherwise than real services\n",
            difference(found["embedded"], found["compose"], predicted),
        ]
    return "\n".join(parts)


def said(record: Mapping[str, Any], journey: str) -> str:
    cell = record["journeys"][journey]
    return f"{cell['state']} ({cell['errors']:.0%} failed, p99 {cell['p99_ms']:.0f} ms)"


def whole(records: Records, predicted: Mapping[str, Mapping[str, str]]) -> str:
    """The table of one profile. A cell that was predicted otherwise says so."""
    lines = [
        "| fault | " + " | ".join(JOURNEYS) + " | well after | clicks answered, counted |",
        "|---|" + "---|" * (len(JOURNEYS) + 2),
    ]
    for fault, record in records.items():
        cells = []
        for journey in JOURNEYS:
            thought = predicted[fault][journey]
            as_thought = thought == record["journeys"][journey]["state"]
            cells.append(said(record, journey) + ("" if as_thought else f"; predicted: {thought}"))
        counted = f"{record['clicks answered']}, {record['clicks counted']}"
        lines.append(f"| {fault} | {' | '.join(cells)} | {record['well after s']:.1f} s | {counted} |")
    return "\n".join(lines) + "\n"


def surprises(records: Records, predicted: Mapping[str, Mapping[str, str]]) -> str:
    """Of each fault with a cell that was predicted otherwise: what had been thought, and what was learned."""
    lines = []
    for fault, record in records.items():
        told = predicted[fault]
        if any(told[journey] != record["journeys"][journey]["state"] for journey in JOURNEYS):
            lines += [
                f"**{fault}**",
                f"- thought: {told['why']}",
                f"- learned: {told.get('learned', 'nothing yet')}",
                "",
            ]
    return "\n".join(lines)


def differing(one: Records, other: Records) -> list[tuple[str, str]]:
    """The cells whose states are not the same: (fault, journey)."""
    return [
        (fault, journey)
        for fault in one
        if fault in other
        for journey in JOURNEYS
        if one[fault]["journeys"][journey]["state"] != other[fault]["journeys"][journey]["state"]
    ]


def reasons(cells: Iterable[tuple[str, str]], predicted: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """By fault: why such cells are not the same, as far as somebody has found out (`differs`)."""
    return {fault: predicted[fault].get("differs", "not explained yet") for fault, _ in cells}


def difference(one: Records, other: Records, predicted: Mapping[str, Mapping[str, str]]) -> str:
    """A line for each such cell, and for each fault why."""
    cells = differing(one, other)
    same = len(JOURNEYS) * len(set(one) & set(other)) - len(cells)
    lines = [
        f"{same} of {same + len(cells)} cells are the same.",
        "",
        "| fault | journey | embedded | compose |",
        "|---|---|---|---|",
    ]
    lines += [f"| {fault} | {j} | {said(one[fault], j)} | {said(other[fault], j)} |" for fault, j in cells]
    lines.append("")
    for fault, why in reasons(cells, predicted).items():
        lines += [f"**{fault}**: {why}", ""]
    return "\n".join(lines)
