"""Calls into a component. What its contract allows it to raise passes; all else stops here.

Whatever else a component raises becomes a `ComponentError`, also what would end the process, and the server lives on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reference.platform.modules import being_cancelled, line_in_component
from reference.platform.process import EventSink

PATIENCE = 5.0
"""Seconds that each call, and each step of a component's lifecycle, may take."""
TOLD = 20
"""Different errors of one component that are told; all are counted."""
LONGEST = 300
"""Characters of what is told of one."""


@dataclass(frozen=True, slots=True)
class Slot:
    """`methods`: the methods a component must have, each with the errors that are its right to raise.
    `fillings`: the modules of ours that fill the slot. `pure`: the methods that are plain functions of their arguments;
    all others are async."""

    name: str
    class_name: str
    methods: Mapping[str, tuple[type[Exception], ...]]
    fillings: Mapping[str, str]
    pure: frozenset[str] = frozenset()


class ComponentError(Exception):
    """A component failed in a way that its contract does not know. `error`: the name of what it raised."""

    def __init__(self, slot: str, error: str, message: str) -> None:
        super().__init__(message)
        self.slot = slot
        self.error = error


class Contained:
    """The component of one slot, as its callers meet it. `count` is told of each error's name."""

    def __init__(
        self, slot: Slot, events: EventSink, count: Callable[[str], None] = lambda error: None
    ) -> None:
        self.slot = slot
        self._events = events
        self._count = count
        self._told: set[tuple[str, int | None]] = set()
        """Errors that were told as events: name and line. Told once, for a component may raise in each call."""

    def guarded_pure(self, method: str, function: Callable[..., Any], *args: Any) -> Any:
        """Calls `function`, the component's pure `method`: at once, and without a limit of time, for only a watchdog
        can end what does not return. Raises what the contract allows, or ComponentError."""
        allowed = self._allowed(method)
        try:
            return function(*args)
        except allowed:
            raise
        except (SystemExit, KeyboardInterrupt) as error:
            raise self._kept_from_leaving(method, error) from error
        except BaseException as error:
            raise self._failed(error, f"{method} raised {type(error).__name__}: {error}") from error

    async def guarded(self, method: str, function: Callable[..., Any], *args: Any) -> Any:
        """Calls `function`, the component's `method`. Raises what the contract allows, or ComponentError."""
        allowed = self._allowed(method)
        try:
            async with asyncio.timeout(PATIENCE) as patience:
                return await function(*args)
        except allowed:
            raise
        except TimeoutError as error:
            if patience.expired():
                raise self._failed(error, f"{method} has not answered for {PATIENCE:.0f} s") from error
            raise self._failed(error, f"{method} raised TimeoutError: {error}") from error
        except asyncio.CancelledError as error:
            if being_cancelled():
                raise
            raise self._failed(
                error, f"{method} raised CancelledError, and nobody had cancelled it"
            ) from error
        except (SystemExit, KeyboardInterrupt) as error:
            raise self._kept_from_leaving(method, error) from error
        except BaseException as error:
            raise self._failed(error, f"{method} raised {type(error).__name__}: {error}") from error

    def _allowed(self, method: str) -> tuple[type[Exception], ...]:
        """What passes unchanged. A ComponentError is another slot's, whose component this one has called."""
        return (*self.slot.methods[method], ComponentError)

    def misbehaved(self, method: str, what: str) -> ComponentError:
        """The error to raise when a call has returned what its contract does not know."""
        self._count("WrongAnswer")
        self._tell("WrongAnswer", {"component": self.slot.name}, f"{method} {what}")
        return ComponentError(self.slot.name, "WrongAnswer", f"{self.slot.class_name}.{method} {what}")

    def _kept_from_leaving(self, method: str, error: BaseException) -> ComponentError:
        name = type(error).__name__
        self._tell(name, self._place(error), f"raised {name}", kind="exited")
        return self._failed(error, f"{method} raised {name}")

    def _failed(self, error: BaseException, message: str) -> ComponentError:
        name, place = type(error).__name__, self._place(error)
        self._count(name)
        self._tell(name, place, message)
        where = f", line {place['line']}" if "line" in place else ""
        return ComponentError(self.slot.name, name, f"{self.slot.class_name}.{message}{where}")

    def _tell(self, name: str, place: dict[str, Any], message: str, kind: str = "raised") -> None:
        key = (name, place.get("line"))
        if key not in self._told and len(self._told) < TOLD:
            self._told.add(key)
            self._events({"kind": kind, **place, "what": message[:LONGEST]})

    def _place(self, error: BaseException) -> dict[str, Any]:
        line = line_in_component(error, self.slot.name)
        return {"component": self.slot.name, **({"line": line} if line else {})}
