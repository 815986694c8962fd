"""`Stack`: starts a running case, and does to it what a notebook asks. All calls are synchronous and short."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Iterable
from typing import Any, Literal, Protocol

from reference.platform.objectives import attainments
from reference.platform.settings import default_profile
from reference.shortener.objectives import OBJECTIVES
from workbench.stack import state
from workbench.stack.display import Status, TopologyView
from workbench.stack.errors import ComponentError, StackError
from workbench.stack.incident import Incident
from workbench.stack.metrics import Metrics
from workbench.stack.objectives import Objectives
from workbench.stack.state import StackState

START_TIMEOUT = {"embedded": 60.0, "local": 60.0, "compose": 180.0}
"""Seconds, by profile."""
ORDER_TIMEOUT = 110.0
_numbers = itertools.count(1)


class HasSource(Protocol):
    """A component as a notebook carries it: `source` is the text of its module."""

    @property
    def source(self) -> str: ...


DEFAULT_NAME = "default"
"""Of the stack that `workbench up` starts."""


class Stack:
    """A case that runs: app servers, a balancer, a consumer and the services behind them, each a process.

    `profile`: `embedded` (needs nothing but the wheels), `local` (a real Redis and PostgreSQL) or `compose` (all of it
    in containers: Redis, PostgreSQL, Kafka, nginx; needs a Docker engine and `make images`); without one, what the
    environment variable WORKBENCH_PROFILE says, else `embedded`. `observability`: with Prometheus and Alertmanager, on
    the profile compose; see `workbench.dashboard`. `name`: under which other processes find it; made up
    if not given. `settings`: start values, such as `{"click_buffer": 10}`. `owner`: "process", the stack ends with this
    process, however that ends; None, it runs until it is stopped.
    """

    def __init__(
        self,
        case: str = "url-shortener",
        profile: str | None = None,
        name: str | None = None,
        servers: int = 3,
        settings: dict[str, Any] | None = None,
        owner: Literal["process"] | None = "process",
        observability: bool = False,
    ) -> None:
        self.case = case
        self.profile = profile or default_profile()
        self.name = name or f"{case}-{os.getpid()}-{next(_numbers)}"
        self._wanted = {
            "servers": servers,
            "settings": settings or {},
            "owned": owner == "process",
            "observability": observability,
        }
        self._state: StackState | None = None
        self._finalizer: weakref.finalize[..., Stack] | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None

    @classmethod
    def connect(cls, name: str | None = None) -> Stack:
        """The stack of that name that runs already, such as one that `workbench up` or a notebook started.

        Without a name: `default`, else the only one that runs. StackError if there is none, or a choice to make."""
        running = [found.name for found in state.all_states() if found.alive()]
        if name is None:
            name = running[0] if len(running) == 1 and DEFAULT_NAME not in running else DEFAULT_NAME
        found = state.read(name)
        if found is None or not found.alive():
            choice = f"running: {', '.join(running)}; choose with --name" if running else "none runs"
            raise StackError(f"no stack named {name!r} runs ({choice}); start one with: workbench up")
        stack = cls(found.case, found.profile, name, owner=None)
        stack._state = found
        return stack

    # life
    def start(self) -> Stack:
        """Returns once every role serves. Does nothing if the stack runs already."""
        if self._state is not None:
            return self
        request = {"name": self.name, "case": self.case, "profile": self.profile, **self._wanted}
        folder = state.folder_of(self.name)  # complains about an impossible name here, not in the child
        supervisor = subprocess.Popen(
            [sys.executable, "-P", "-m", "workbench.stack.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it writes a log of its own as soon as it has a folder
            start_new_session=True,  # a Ctrl-C in the notebook or the terminal is not for it
        )
        assert supervisor.stdin is not None
        assert supervisor.stdout is not None
        try:
            supervisor.stdin.write(json.dumps(request).encode() + b"\n")
            supervisor.stdin.flush()
            answer = json.loads(_read_line(supervisor, START_TIMEOUT.get(self.profile, 60.0)) or "{}")
        except BaseException:  # also a KeyboardInterrupt: nothing half-started stays
            _end(supervisor, os.getpid())
            raise
        finally:
            supervisor.stdout.close()
        if "ready" not in answer:
            _end(supervisor, os.getpid())
            raise StackError(answer.get("failed") or f"the stack's supervisor ended; its folder was {folder}")
        self._state = StackState(**answer["ready"])
        self._supervisor = supervisor
        if self._wanted["owned"]:
            self._finalizer = weakref.finalize(self, _end, supervisor, os.getpid())
        else:
            supervisor.stdin.close()
            self._finalizer = weakref.finalize(self, _disown, supervisor)
        return self

    def stop(self) -> None:
        """Drains and ends every role; what does not end within 3 s is killed. Does nothing if it does not run."""
        found, self._state = self._state, None
        if found is None:
            return
        try:
            self._order_to(found, "stop")
        except (StackError, OSError):
            pass  # it has ended already, or is ending
        if self._supervisor is not None and self._finalizer is not None:
            try:
                self._supervisor.wait(timeout=10)
            except subprocess.TimeoutExpired:
                pass
            self._finalizer()
        else:
            deadline = time.monotonic() + 10
            while found.alive() and time.monotonic() < deadline:
                time.sleep(0.02)

    def __enter__(self) -> Stack:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # where it is
    @property
    def url(self) -> str:
        """The balancer's: what clients call."""
        return self._running().url

    @property
    def admin_token(self) -> str:
        """Of the service's administrator: `Authorization: Bearer ...` with it may do what owners may, on any link."""
        return str(self._order("admin_token"))

    @property
    def servers(self) -> list[str]:
        """`["app-1", "app-2", "app-3"]`"""
        return [name for name, role in self.status().roles.items() if role["kind"] == "app"]

    def server_url(self, role: str) -> str:
        """The URL of one role, past the balancer."""
        roles = self.status().roles
        url = roles.get(role, {}).get("url")
        if url is None:
            raise ValueError(
                f"{role!r} has no URL; these have: {', '.join(n for n, r in roles.items() if r['url'])}"
            )
        return str(url)

    def service_urls(self) -> dict[str, str]:
        """Where the services are, past the network and its faults, with their passwords: to look into them oneself."""
        found: dict[str, str] = self._order("service_urls")
        return found

    def observers(self) -> dict[str, str]:
        """Where its Prometheus and its Alertmanager are; {} if nobody watches it."""
        found: dict[str, str] = self._order("observers")
        return found

    def status(self) -> Status:
        return Status(self._order("status"))

    def topology(self) -> TopologyView:
        """The picture of what runs now, with states, swapped components and faults."""
        return TopologyView(self._order("status"))

    # roles
    def kill(self, role: str) -> None:
        """SIGKILL. It stays down until `revive`."""
        self._order("kill", role=role)

    def pause(self, role: str) -> None:
        """SIGSTOP: its connections stay open and nothing answers, until `revive`."""
        self._order("pause", role=role)

    def revive(self, role: str) -> None:
        """Lets a paused role go on, starts a killed one again, with the components that it had."""
        self._order("revive", role=role)

    def restart(self, role: str) -> None:
        """A deployment in small: it finishes what it has in hand, ends, and starts again with what it had."""
        self._order("restart", role=role)

    def skew(self, role: str, seconds: float) -> None:
        """Puts the clock of an app server ahead by so much (behind, if negative; right again with 0, or a restart)."""
        self._order("skew", role=role, seconds=seconds)

    # faults; `target`: a service (cache, log, pool, store, shard-1), `shards`, an edge (app-1->cache, app-1->shards),
    # or a role: all its edges
    def slow(self, target: str, seconds: float) -> None:
        """Holds all bytes between a role and a service for `seconds`, each way: an answer takes twice that longer."""
        self._order("fault", target=target, fault="slow", seconds=seconds)

    def cut(self, target: str) -> None:
        """Refuses new connections and resets open ones."""
        self._order("fault", target=target, fault="cut")

    def hang(self, target: str) -> None:
        """Takes connections and bytes, and answers nothing."""
        self._order("fault", target=target, fault="hang")

    def mend(self, target: str | None = None) -> None:
        """Ends the faults there; without a target, all of them."""
        self._order("fault", target=target, fault="mend")

    def flush(self, service: str = "cache") -> None:
        """Empties the cache, or what the `edge` remembers."""
        self._order("flush", service=service)

    # components and settings
    def swap(self, slot: str, component: str | HasSource, on: str | Iterable[str] | None = None) -> None:
        """Puts a component into a slot, on every server, or on those named (a canary).

        `component`: the text of a module, an object with `.source`, or "plain" or "reference". ComponentError says
        what is wrong with it, and where; the old component serves on.
        """
        if component == "reference":
            return self.unswap(slot, on)
        arguments: dict[str, Any] = {
            "slot": slot,
            "on": on if on is None or isinstance(on, str) else list(on),
        }
        if component == "plain":
            arguments |= {"filling": "plain"}
        else:
            source = component if isinstance(component, str) else component.source
            arguments |= {"source": source, "label": str(getattr(component, "label", "yours"))}
        self._order("swap", **arguments)

    def unswap(self, slot: str, on: str | Iterable[str] | None = None) -> None:
        """Back to the reference."""
        self._order("unswap", slot=slot, on=on if on is None or isinstance(on, str) else list(on))

    def canary(self, share: float | None) -> str:
        """The last server gets this share of the requests, in steps of 0.05, whatever the balancing; with None its
        equal part again. Returns its name. ValueError: no such share. `workbench.roll_out` does the whole of it."""
        return str(self._order("canary", share=share))

    def reshard(self, shards: int | Iterable[str]) -> dict[str, Any]:
        """Moves the links onto these shards, the first so many or those named, while the stack serves. Returns once all
        have arrived: `{"moved": 25, "of": 100, ...}`. ValueError: there are no such shards, not even spare ones."""
        wanted = shards if isinstance(shards, int) else list(shards)
        done: dict[str, Any] = self._order("reshard", shards=wanted)
        return done

    def set(self, name: str, value: Any) -> None:
        """Turns a live setting on every server. ValueError gives the allowed range."""
        self._order("set", name=name, value=value)

    def settings(self) -> dict[str, Any]:
        """The live settings, as they are now."""
        found: dict[str, Any] = self._order("settings")
        return found

    # looking
    def metrics(self, role: str | None = None) -> Metrics:
        """Of one role; without a name, of all servers that are up, together."""
        roles = self.status().roles
        names = [role] if role else [n for n, r in roles.items() if r["kind"] == "app" and r["state"] == "up"]
        return Metrics.parse(*(_get(self.server_url(name), "/metrics") for name in names))

    def objectives(self, since: Metrics | None = None) -> Objectives:
        """How the service-level objectives stand, by what the servers and the consumer have counted: from their start,
        or from `since` on, which an earlier `readings()` gave."""
        found = self.readings()
        return Objectives(attainments(OBJECTIVES, found if since is None else found.since(since)))

    def readings(self) -> Metrics:
        """The metrics of all servers and of the consumer that are up, together: what objectives are measured by."""
        roles = self.status().roles
        up = [
            name
            for name, role in roles.items()
            if role["state"] == "up" and role["kind"] in ("app", "consumer")
        ]
        return Metrics.parse(*(_get(roles[name]["url"], "/metrics") for name in up))

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time that each role has used since its process began. Two readings, and what was done
        between them, tell what a request costs; see `workbench.calibrate`."""
        found: dict[str, float] = self._order("cpu")
        return found

    def spans(self, request_id: str) -> dict[str, list[dict[str, Any]]]:
        """What the roles have recorded of a request whose id begins with `trace-`, by role, as they recorded it.
        `workbench.trace` makes a story of it."""
        found: dict[str, list[dict[str, Any]]] = self._order("spans", request_id=request_id)
        return found

    def incidents(self) -> list[Incident]:
        """What went wrong unasked, the oldest first."""
        return [Incident(**incident) for incident in self._order("incidents")]

    def logs(self, role: str, lines: int = 50) -> str:
        """The last lines that a role wrote, what a component prints among them."""
        return str(self._order("logs", role=role, lines=lines))

    # the control API
    def _running(self) -> StackState:
        if self._state is None:
            raise StackError(f"the stack {self.name!r} does not run; start it with .start()")
        return self._state

    def _order(self, command: str, **arguments: Any) -> Any:
        return self._order_to(self._running(), command, **arguments)

    def _order_to(self, found: StackState, command: str, **arguments: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", found.control, timeout=ORDER_TIMEOUT)
        try:
            headers = {"Authorization": f"Bearer {found.token}", "Content-Type": "application/json"}
            connection.request("POST", f"/{command}", json.dumps(arguments), headers)
            answer = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException) as error:
            ended = "" if found.alive() else ": its supervisor has ended"
            raise StackError(f"the stack {found.name!r} does not answer{ended} ({error})") from error
        finally:
            connection.close()
        if "error" in answer:
            raise _error(answer["error"])
        return answer["ok"]

    def __repr__(self) -> str:
        where = self._state.url if self._state else "not running"
        return f"<Stack {self.name!r}: {self.case} on {self.profile}, {where}>"


def _error(error: dict[str, Any]) -> Exception:
    kind, message = error.get("type"), str(error.get("message"))
    if kind == "ComponentError":
        return ComponentError(message, error.get("component"), error.get("line"), error.get("source_line"))
    return ValueError(message) if kind == "ValueError" else StackError(message)


def _get(url: str, path: str) -> str:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise StackError(f"{url}{path} does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise StackError(f"{url}{path} answered {answer.status}")
    return text


def _read_line(process: subprocess.Popen[bytes], timeout: float) -> str:
    """The first line that it writes; "" at its end. StackError after `timeout` seconds."""
    assert process.stdout is not None
    if os.name == "posix" and not select.select([process.stdout], [], [], timeout)[0]:
        raise StackError(f"the stack was not ready after {timeout:.0f} s")
    return process.stdout.readline().decode()


def _disown(supervisor: subprocess.Popen[bytes]) -> None:
    """It may outlive us: Popen is not to complain that it does."""
    if supervisor.poll() is None:
        supervisor.returncode = 0


def _end(supervisor: subprocess.Popen[bytes], owner: int) -> None:
    """Lets the supervisor see that its owner is gone, and waits. Not in a fork of the owner."""
    if os.getpid() != owner:
        return
    assert supervisor.stdin is not None
    try:
        supervisor.stdin.close()
    except OSError:
        pass
    try:
        supervisor.wait(timeout=10)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
