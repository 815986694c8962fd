"""A stack as a picture: boxes and arrows, drawn as Mermaid from what will run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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


GROUPS = {"app": "app servers", "shard": "shards", "keeper": "keepers", "consumer": "consumers"}
"""By kind of role: what several of it are called together."""


def draw(
    roles: Sequence[Role],
    edges: Sequence[Edge],
    states: Mapping[str, str],
    notes: Mapping[str, str] | None = None,
) -> str:
    """A Mermaid flowchart. What is in trouble has its state in its label and a dashed outline or arrow.

    `states`: by name of a role or an edge; what is missing is "up". `notes`: by name of a role, a second line, such as
    the component that was swapped into it; such a box has a bold outline. Several roles of a kind are a group, and what
    each of them does with each of another group is one arrow: forty would hide the picture.
    """
    group = groups(roles)
    lines = [
        "flowchart LR",
        *described(roles, edges),
        f"    clients([clients]) -->|HTTP| {node(entrance(roles))}",
    ]
    for role in roles:
        if role.name not in group:
            lines += box(role, states, notes or {})
    for kind in dict.fromkeys(group.values()):
        lines.append(f'    subgraph {kind}s["{GROUPS[kind]}"]')
        for role in roles:
            if group.get(role.name) == kind:
                lines += box(role, states, notes or {})
        lines.append("    end")
    lines += [arrow(source, target, label) for source, target, label in merged(edges, group)]
    for edge in edges:
        if (state := states.get(edge.name, "up")) != "up":
            lines.append(arrow(edge.source, edge.target, f"{edge.label}: {state}".lstrip(": "), "-.->"))
    lines.append("    classDef trouble stroke-dasharray: 6 4,stroke-width:3px")
    lines.append("    classDef noted stroke-width:3px")
    return "\n".join(lines) + "\n"


def described(roles: Sequence[Role], edges: Sequence[Edge]) -> list[str]:
    """The picture in words, for whoever hears it."""
    asks: dict[str, list[str]] = {"clients": [entrance(roles)]}
    for edge in edges:
        asks.setdefault(edge.source, []).append(edge.target)
    words = ", and ".join(f"{source} asks {' and '.join(targets)}" for source, targets in asks.items())
    return ["    accTitle: What runs, and who asks whom", f"    accDescr: {words}"]


def groups(roles: Sequence[Role]) -> dict[str, str]:
    """By name of each role that is in a group: its kind."""
    count = Counter(role.kind for role in roles)
    return {role.name: role.kind for role in roles if role.kind in GROUPS and count[role.kind] > 1}


def box(role: Role, states: Mapping[str, str], notes: Mapping[str, str]) -> list[str]:
    state = states.get(role.name, "up")
    text = escape(role.name if state == "up" else f"{role.name}: {state}")
    if role.name in notes:
        text += f"<br/>{escape(notes[role.name])}"
    lines = [f"    {node(role.name)}" + SHAPES.get(role.kind, "[{}]").format(f'"{text}"')]
    if state != "up":
        lines.append(f"    class {node(role.name)} trouble")
    elif role.name in notes:
        lines.append(f"    class {node(role.name)} noted")
    return lines


def merged(edges: Sequence[Edge], group: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Source, target and label of each arrow. All edges between two groups, or a group and a single role, are one if
    they say the same and none is missing."""
    together = {name: f"{kind}s" for name, kind in group.items()}
    size = Counter(together.values())
    alike: dict[tuple[str, str, str], list[Edge]] = {}
    for edge in edges:
        source, target = (together.get(end, end) for end in (edge.source, edge.target))
        alike.setdefault((source, target, edge.label), []).append(edge)
    for (source, target, label), found in alike.items():
        whole = size.get(source, 1) * size.get(target, 1)
        if len(found) == whole:
            yield source, target, label
        else:
            yield from ((edge.source, edge.target, edge.label) for edge in found)


def arrow(source: str, target: str, text: str, line: str = "-->") -> str:
    label = f'|"{escape(text)}"|' if text else ""
    return f"    {node(source)} {line}{label} {node(target)}"


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
