"""The shape of every process of a stack: a `Runnable`, which a small host starts, watches and commands.

The host (one for each process) reads commands, sends heartbeats and ends the process. What runs in it
knows nothing of that channel: it has the four methods below, and a callback for what it has to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

EventSink = Callable[[dict[str, Any]], None]
"""Takes what nobody asked for but the supervisor must hear of, as a JSON-able dict with the key "kind".

`{"kind": "exited", "component": slot, "line": 12, "what": "raised SystemExit"}`: a component tried to end the
process, and was kept from it. `"raised"`: it raised what its contract does not know, or returned it; the call failed.
Called from the event loop; must not block.
"""


class Runnable(Protocol):
    """One process of a stack: an app server, the consumer, the balancer, the embedded services.

    Everything is called from one event loop. Promises: `health` answers at once and never raises; `stop`
    may be called at any time after `start`, also twice. Does not promise: to leave nothing without `stop`.
    """

    async def start(self) -> dict[str, Any]:
        """Bind and serve. Returns what was bound: `{"port": 40001}`, or for the services
        `{"cache": port, "log": port, "store": port}`. Returns without waiting for any other process."""
        ...

    async def stop(self) -> None:
        """Take no more work, finish what is in hand, close. Idempotent."""
        ...

    async def command(self, name: str, args: dict[str, Any]) -> Any:
        """Do what the supervisor asks; the answer is JSON-able. ValueError: no such command, bad argument."""
        ...

    def health(self) -> dict[str, Any]:
        """JSON-able and cheap: it goes with each heartbeat."""
        ...


ComponentFactory = Callable[..., Any]
"""A class of components, or anything that takes the same keywords."""


def ignore_events(event: dict[str, Any]) -> None:
    """The EventSink of tests and one-off scripts."""
