"""A trace as a Mermaid sequence diagram: who said what to whom, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from reference.platform.topology import node

if TYPE_CHECKING:
    from workbench.tracing.spans import Span, Trace

ENTITIES = {"#": "#35;", ";": "#59;", "<": "#lt;", ">": "#gt;", "%": "#37;"}


class Diagram:
    """`.mermaid` is its source. Where that cannot be drawn, the trace stands there as text."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @property
    def mermaid(self) -> str:
        lines = ["sequenceDiagram", "    accTitle: What happened to one request, in the order of time"]
        lines += [f"    participant {node(name)} as {name}" for name in _participants(self.trace.spans)]
        lines += [f"    {line}" for _, _, line in sorted(self._lines(), key=lambda each: each[:2])]
        return "\n".join(lines) + "\n"

    def _lines(self) -> Iterator[tuple[float, float, str]]:
        """(ms, what comes first at the same instant, line)."""
        waited = True
        for span in self.trace.spans:
            if waited and not span.waited:
                waited = False
                yield self.trace.ms, 999.5, f"Note over client: answered after {self.trace.ms:.1f} ms"
            # At one instant an inner step begins after the outer one, and ends before it. What the client did not wait
            # for comes after its answer, although the batch for the log may have begun a moment before.
            begins = span.at if span.waited else max(span.at, self.trace.ms)
            yield begins, 1000 + span.number, self._begins(span)
            if span.target and span.ms is not None:
                ends = max(span.end, begins)
                yield ends, 1000 - span.number if span.waited else 2000 + span.number, self._ends(span)

    def _begins(self, span: Span) -> str:
        if span.target:
            return f"{node(span.source)}->>{node(span.target)}: {_safe(span.what)}"
        return f"Note over {node(span.source)}: {_safe(span.text)}"

    def _ends(self, span: Span) -> str:
        said = _safe(span.said or "done")
        return f"{node(span.target)}-->>{node(span.source)}: {said} ({span.ms:.1f} ms)"

    def text(self) -> str:
        return self.trace.text()

    __str__ = text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(), "text/vnd.mermaid": self.mermaid}


def _participants(spans: tuple[Span, ...]) -> list[str]:
    """The processes from the client inwards, then the services, then who is behind the log."""
    sources = dict.fromkeys(name for span in spans for name in (span.source, span.target) if name)
    own = [name for name in sources if any(span.source == name for span in spans)]
    behind = [name for name in own if not any(span.waited for span in spans if span.source == name)]
    return [
        *(name for name in own if name not in behind),
        *sorted((name for name in sources if name not in own), key=_rank),
        *behind,
    ]


def _rank(service: str) -> tuple[int, str]:
    """The cache first, as it is asked first; the log and the store of the counts last, beside the consumer."""
    order = ("cache", "pool", "shard", "log", "store")
    return next((i for i, kind in enumerate(order) if service.startswith(kind)), len(order)), service


def _safe(text: str) -> str:
    return "".join(ENTITIES.get(character, character) for character in " ".join(text.split()))
