"""How a stack looks: its status as a table, its topology as a Mermaid picture; each in plain text too."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from reference.platform.topology import Edge, Role, draw, entrance
from workbench.stack.tables import aligned, as_html

MARKS = {"up": "●", "paused": "‖", "down": "✕", "failed": "✕", "starting": "…", "restarting": "…", "new": "…"}


class Status:
    """`.roles`: name to a dict with kind, state, pid, port, url, components, restarts, megabytes."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.name: str = data["name"]
        self.profile: str = data["profile"]
        self.url: str = data["url"]
        self.roles: dict[str, dict[str, Any]] = data["roles"]
        self.faults: dict[str, dict[str, Any]] = data["faults"]
        self.incidents: int = data["incidents"]

    def _title(self) -> str:
        return f"{self.data['case']} on {self.profile}, stack {self.name!r}: {self.url}"

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield ("role", "state", "components", "port", "pid", "memory", "restarts")
        for name, role in self.roles.items():
            components = swapped(role.get("components", {})) or (
                "reference" if role.get("components") else ""
            )
            state = f"{MARKS.get(role['state'], '?')} {role['state']}"
            memory = f"{role['megabytes']} MB" if role["pid"] else ""
            port, pid = (str(role[key] or "") for key in ("port", "pid"))
            yield (name, state, components, port, pid, memory, str(role["restarts"]))

    def _notes(self) -> list[str]:
        notes = [f"fault on {edge}: {words(found)}" for edge, found in self.faults.items()]
        without: dict[str, list[str]] = {}
        for name, role in self.roles.items():
            if (fast_path := role.get("fast_path", "on")) != "on":
                without.setdefault(fast_path, []).append(name)
        notes += [f"fast path of {', '.join(names)} {why}" for why, names in without.items()]
        if self.incidents:
            notes.append(f"{self.incidents} incident(s): see .incidents()")
        return notes

    def text(self) -> str:
        return "\n".join([self._title(), *aligned(self._rows()), *self._notes()])

    def html(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        return as_html(self._title(), self._rows()) + notes

    __str__ = __repr__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


class TopologyView:
    """The picture of a stack as it runs now. `.mermaid` is its source.

    Roles and edges are those of the topology that the stack was built from; states, faults and components are added.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        running: dict[str, dict[str, Any]] = data["roles"]
        self.roles = [Role(name, kind) for name, kind in data["topology"]["roles"]]
        self.edges = [Edge(*edge) for edge in data["topology"]["edges"]]
        self.faults = {edge: words(found) for edge, found in data["faults"].items()}
        self.states: dict[str, str] = data["services"] | {
            name: role["state"] for name, role in running.items()
        }
        self.swapped: dict[str, str] = {}
        for name, role in running.items():
            if found := swapped(role.get("components", {})):
                self.swapped[name] = found

    @property
    def mermaid(self) -> str:
        return draw(self.roles, self.edges, self.states | self.faults, self.swapped)

    def text(self) -> str:
        """The same in words: for a terminal, and for whoever cannot see the picture."""
        lines = [f"clients -> {entrance(self.roles)}"]
        for role in self.roles:
            state = self.states.get(role.name, "up")
            notes = [state] if state != "up" else []
            notes += [self.swapped[role.name]] if role.name in self.swapped else []
            targets = [
                edge.target + (f" [{self.faults[edge.name]}]" if edge.name in self.faults else "")
                for edge in self.edges
                if edge.source == role.name
            ]
            note = f" ({'; '.join(notes)})" if notes else ""
            lines.append(f"{role.name}{note}" + (f" -> {', '.join(targets)}" if targets else ""))
        return "\n".join(lines)

    __str__ = __repr__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/vnd.mermaid": self.mermaid}


def swapped(components: dict[str, str]) -> str:
    """What is in the slots instead of the reference: `redirect-cache: yours, key-pool: plain`"""
    found = {slot.rpartition("/")[2]: what for slot, what in components.items() if what != "reference"}
    return ", ".join(f"{slot}: {what}" for slot, what in found.items())


def words(fault: dict[str, Any]) -> str:
    """`slow by 0.1 s, cut`"""
    return ", ".join(f"slow by {value:g} s" if name == "slow" else name for name, value in fault.items())
