"""A design as a Mermaid flowchart: the same boxes as text that JupyterLab and others draw."""

from __future__ import annotations

from collections.abc import Mapping

from grading.answers.designs import Box, Design

SHAPES = {
    "client": '(["{}"])',
    "cdn": '{{{{"{}"}}}}',
    "load balancer": '{{{{"{}"}}}}',
    "cache": '[("{}")]',
    "database": '[("{}")]',
    "replica": '[("{}")]',
    "analytics store": '[("{}")]',
    "queue": '[["{}"]]',
    "worker": '(["{}"])',
}
"""By kind: how Mermaid brackets its text. All others are plain boxes."""


def mermaid(design: Design, trouble: Mapping[str, str] | None = None) -> str:
    """`trouble`: by name of a box, what is the matter with it; such a box has a dashed outline."""
    trouble = trouble or {}
    lines = ["flowchart TD", "    accTitle: The design, as boxes and arrows"]
    for box in design.boxes:
        lines.append(f"    {_node(box.name)}" + SHAPES.get(box.kind, '["{}"]').format(_text(box, trouble)))
        if box.name in trouble:
            lines.append(f"    class {_node(box.name)} trouble")
    for arrow in design.arrows:
        label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
        lines.append(f"    {_node(arrow.source)} -->{label} {_node(arrow.target)}")
    lines.append("    classDef trouble stroke-dasharray: 6 4,stroke-width:3px")
    return "\n".join(lines) + "\n"


def _text(box: Box, trouble: Mapping[str, str]) -> str:
    count = f" ×{box.count}" if box.count > 1 else ""
    kind = f"<br/>{box.kind}" if box.kind != box.name else ""
    more = f"<br/>{_escaped(trouble[box.name])}" if box.name in trouble else ""
    return f"{box.name}{count}{kind}{more}"


def _node(name: str) -> str:
    """An identifier that is none of Mermaid's own words, such as `end`."""
    return f"box_{name.replace('-', '_')}"


def _escaped(text: str) -> str:
    for character, entity in (
        ("#", "#35;"),
        ('"', "#quot;"),
        ("<", "#lt;"),
        (">", "#gt;"),
        ("|", "#124;"),
        ("`", "#96;"),
        ("\\", "#92;"),
    ):
        text = text.replace(character, entity)
    return text
