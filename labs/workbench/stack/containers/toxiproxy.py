"""The network of a stack in containers: Toxiproxy, told by HTTP what is wrong on which edge.

The faults are those of the embedded network. What differs: a connection that is cut ends with FIN, not with a reset;
and one whose bytes were lost while it hung is closed when that ends, since it could not go on.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workbench.stack.containers.engine import Engine
from workbench.stack.containers.roles import ServiceContainer
from workbench.stack.role import RoleError

STREAMS = ("upstream", "downstream")
TIMEOUT = 10.0


class Toxiproxy(ServiceContainer):
    """`port`: of this machine, where its interface answers."""

    commanded = True

    def __init__(self, name: str, kind: str, folder: Path, engine: Engine, container: str, port: int) -> None:
        super().__init__(name, kind, folder, engine, container)
        self.port = port

    async def command(self, name: str, args: dict[str, Any] | None = None, timeout: float = TIMEOUT) -> Any:
        """`fault {"edges": [...], "fault": ..., "seconds": ...}`, where fault is slow, cut, hang or mend."""
        args = args or {}
        if name == "upstream":
            return None  # whoever is away has still the same address
        if name != "fault":
            raise ValueError(f"the network has no command {name!r}")
        return await asyncio.to_thread(self._faults, args["edges"], args["fault"], args.get("seconds"))

    def proxies(self) -> dict[str, dict[str, Any]]:
        """All that there are, by name: `listen` and `upstream` are addresses, as Toxiproxy tells them. RoleError."""
        with self._connected() as connection:
            found: dict[str, dict[str, Any]] = _asked(connection, "GET", "/proxies", None)
            return found

    def _faults(self, edges: list[str], fault: str, seconds: float | None) -> None:
        with self._connected() as connection:
            proxies = _asked(connection, "GET", "/proxies", None)
            for edge in edges:
                for method, path, body in requests(edge, proxies[edge], fault, seconds):
                    _asked(connection, method, path, body)

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            yield connection
        except (OSError, http.client.HTTPException) as error:
            raise RoleError(f"the network does not take orders: {error}") from error
        finally:
            connection.close()


def _asked(connection: http.client.HTTPConnection, method: str, path: str, body: Any) -> Any:
    connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = answer.read().decode("utf-8", "replace")
    if answer.status >= 300:
        raise RoleError(f"Toxiproxy refused {method} {path}: {answer.status} {told.strip()}")
    return json.loads(told) if told else None


Request = tuple[str, str, dict[str, Any] | None]


def requests(edge: str, now: dict[str, Any], fault: str, seconds: float | None) -> list[Request]:
    """Method, path and body of each request that makes the fault. `now`: the proxy as Toxiproxy describes it.
    ValueError: there is no such fault."""
    proxy = f"/proxies/{quote(edge)}"
    there = {toxic["name"] for toxic in now["toxics"]}
    enabled: Request = ("POST", proxy, {"enabled": True})
    disabled: Request = ("POST", proxy, {"enabled": False})

    def added(name: str, kind: str, attributes: dict[str, int]) -> list[Request]:
        return [
            (
                "POST",
                f"{proxy}/toxics",
                {"name": f"{name}-{stream}", "type": kind, "stream": stream, "attributes": attributes},
            )
            for stream in STREAMS
        ]

    def removed(name: str) -> list[Request]:
        names = [f"{name}-{stream}" for stream in STREAMS]
        return [("DELETE", f"{proxy}/toxics/{each}", None) for each in names if each in there]

    match fault:
        case "slow":
            return [*removed("slow"), *added("slow", "latency", {"latency": round(1000 * (seconds or 0.0))})]
        case "cut":
            return [*removed("hang"), disabled]
        case "hang":
            again = [] if now["enabled"] else [enabled]
            return [*removed("hang"), *added("hang", "timeout", {"timeout": 0}), *again]
        case "mend":
            hung = removed("hang")  # what was sent meanwhile is lost: these connections cannot go on
            closed = [disabled] if hung else []
            opened = [enabled] if hung or not now["enabled"] else []
            return [*closed, *hung, *removed("slow"), *opened]
    raise ValueError(f"no such fault: {fault!r}")
