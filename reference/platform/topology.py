"""A stack as a picture: boxes and arrows, drawn as Mermaid from what will run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REDIS_KINDS = frozenset({"cache", "log", "pool"})
SQL_KINDS = frozenset({"store", "shard"})


@dataclass(frozen=True, slots=True)
class Role:
    """A box of the picture. `kind`: of process (app, consumer, keeper, balancer, edge) or of service (cache, log, pool,
    store, shard). `slots`: those whose components it holds."""

    name: str
    kind: str
    slots: tuple[str, ...] = ()

    @property
    def is_service(self) -> bool:
        return self.kind in REDIS_KINDS | SQL_KINDS


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` opens connections to `target`. Its name, as faults use it: `app-1->cache`."""

    source: str
    target: str
    label: str = ""

    @property
    def name(self) -> str:
        return f"{self.source}->{self.target}"


SHAPES = {
    "cache": "[({})]",
    "log": "[[{}]]",
    "pool": "[({})]",
    "store": "[({})]",
    "shard": "[({})]",
    "consumer": "([{}])",
    "keeper": "([{}])",
    "balancer": "{{{{{}}}}}",
    "edge": "{{{{{}}}}}",
}
"""By kind of role: how Mermaid brackets its text. An app server is a plain box."""


def draw(
    roles: Sequence[Role],
    edges: Sequence[Edge],
    states: Mapping[str, str],
    notes: Mapping[str, str] | None = None,
) -> str:
    """A Mermaid flowchart. What is in trouble has its state in its label and a dashed outline or arrow.

    `states`: by name of a role or an edge; what is missing is "up". `notes`: by name of a role, a second line, such as
    the component that was swapped into it; such a box has a bold outline. Of arrows that say the same between the same
    kinds of role, one says it: eighteen labels hide the picture.
    """
    notes = notes or {}
    lines = ["flowchart LR", f"    clients([clients]) -->|HTTP| {node(entrance(roles))}"]
    for role in roles:
        state = states.get(role.name, "up")
        text = escape(role.name if state == "up" else f"{role.name}: {state}")
        if role.name in notes:
            text += f"<br/>{escape(notes[role.name])}"
        lines.append(f"    {node(role.name)}" + SHAPES.get(role.kind, "[{}]").format(f'"{text}"'))
        if state != "up":
            lines.append(f"    class {node(role.name)} trouble")
        elif role.name in notes:
            lines.append(f"    class {node(role.name)} noted")
    kinds = {role.name: role.kind for role in roles}
    said: set[tuple[str | None, str | None, str]] = set()
    for edge in edges:
        state = states.get(edge.name, "up")
        arrow, text = (
            ("-->", edge.label) if state == "up" else ("-.->", f"{edge.label}: {state}".lstrip(": "))
        )
        meaning = (kinds.get(edge.source), kinds.get(edge.target), text)
        label = f'|"{escape(text)}"|' if text and (meaning not in said or state != "up") else ""
        said.add(meaning)
        lines.append(f"    {node(edge.source)} {arrow}{label} {node(edge.target)}")
    lines.append("    classDef trouble stroke-dasharray: 6 4,stroke-width:3px")
    lines.append("    classDef noted stroke-width:3px")
    return "\n".join(lines) + "\n"


def entrance(roles: Sequence[Role]) -> str:
    """The role that clients call: the edge if there is one, else the balancer."""
    return next((role.name for role in roles if role.kind == "edge"), "balancer")


def node(name: str) -> str:
    """A name that Mermaid takes as an identifier."""
    return name.replace("-", "_")


def escape(text: str) -> str:
    text = " ".join(text.split())
    for character, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("|", "#124;")):
        text = text.replace(character, entity)
    return text
