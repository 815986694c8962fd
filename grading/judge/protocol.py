"""What the host may say, and nothing else: the judge takes every line apart before it believes its form.

Whether what is said can be true (a call that is pending, a server that there is) `grading.judge.world` checks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grading.judge.history import History
from grading.judge.plan import Plan

Event = list[Any]

SHAPES: dict[str, tuple[type, ...]] = {
    "write": (int, int, str),
    "close": (int, int, str),
    "ask": (int, int, str, str, list, int),
    "return": (int, object),
    "each": (int, list),
    "raise": (int, dict),
    "cancelled": (int,),
    "made": (int, list),
    "unmade": (int, dict),
    "blocked": (float,),
    "refused": (str,),
    "weight": (int,),
    "unawaited": (int,),
    "busy": (),
    "exit": (),
}
"""Kinds of events and the types of their fields; each ends with the component's line, or None."""


LARGEST = 2**63
"""Numbers of calls, requests and connections, and counts of memory blocks, are smaller."""


class HostUnusable(RuntimeError):
    """The host could not start. No component is to blame, so there is no verdict."""


class HostLost(Exception):
    """The component took its process away, or made it talk nonsense. `line`: of the component, if known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.history: History | None = None
        """What the run had recorded until then, if it was in a run."""
        self.plan: Plan | None = None
        self.story = ""


class NotLoadable(Exception):
    """The component's module could not be executed. Carries the error as the host described it."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("type"))
        self.error = error


@dataclass(frozen=True, slots=True)
class Step:
    """What the component asked for and told until it came to rest, and when its next timer is due."""

    timer: float | None
    events: list[Event]


def step(answer: dict[str, Any]) -> Step:
    """A host's line as a step. HostLost if it is none."""
    if set(answer) != {"idle", "events"} or not isinstance(answer["events"], list):
        raise HostLost("the component's process sent a line that is not part of the protocol")
    timer = answer["idle"]
    if timer is not None and not _finite(timer):
        raise HostLost("the component's process sent a timer that is no number")
    for event in answer["events"]:
        check(event)
    return Step(timer, answer["events"])


def _no_constant(name: str) -> Any:
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=_no_constant)


def clean(text: str) -> str:
    """Without half characters (lone surrogates), which no encoding can write."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _finite(value: Any) -> bool:
    """Whether it is a number of a size that can be meant."""
    return type(value) in (int, float) and -1e15 < value < 1e15


def line_number(value: Any) -> int | None:
    """The value, if it can be a line number."""
    return value if type(value) is int and 0 <= value < 10_000_000 else None


def check(event: Any) -> None:
    """HostLost unless `event` is one of `SHAPES`. Makes texts in it printable."""
    if not (isinstance(event, list) and event and isinstance(event[0], str) and event[0] in SHAPES):
        raise HostLost("the component's process sent an event that is not part of the protocol")
    kind, *fields, line = event if len(event) > 1 else (*event, None)
    shapes = SHAPES[kind]
    if len(fields) != len(shapes) or not all(map(_fits, fields, shapes)):
        raise HostLost("the component's process sent an event that is not part of the protocol")
    event[-1] = line_number(line)
    if kind in ("raise", "unmade"):
        event[2] = error(event[2])
    if kind == "refused":
        event[1] = clean(event[1])
    if kind == "each":
        event[2] = [answer(each) for each in event[2]]


def _fits(value: Any, shape: type) -> bool:
    if shape is int:
        return type(value) is int and -LARGEST < value < LARGEST
    return _finite(value) if shape is float else type(value) is shape or shape is object


def answer(told: Any) -> dict[str, Any]:
    """What a pure method returned, `{"value": …}`, or raised, `{"error": …}`. HostLost if it is neither."""
    if not isinstance(told, dict) or len(told) != 1 or not told.keys() <= {"value", "error"}:
        raise HostLost("the component's process sent an event that is not part of the protocol")
    return told if "value" in told else {"error": error(told["error"])}


def error(described: Any) -> dict[str, Any]:
    """An error as the host describes it: {type, bases, message, line}, whatever was sent."""
    told: dict[str, Any] = described if isinstance(described, dict) else {}
    bases = told.get("bases")
    return {
        "type": clean(str(told.get("type", "an unknown error"))[:100]),
        "bases": [clean(str(base)[:200]) for base in bases[:20]] if isinstance(bases, list) else [],
        "message": clean(str(told.get("message", ""))[:500]),
        "line": line_number(told.get("line")),
    }
