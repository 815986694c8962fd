"""What happened to one request in this process: its spans, kept in memory for those requests that ask for it.

A request asks by its id: `X-Request-Id: trace-...`. The id goes wherever the request goes: through the proxies to a
server, and in the event of its click to the log and the consumer. So every process knows by itself whether it is to
take notes, and no setting has to be turned on before, nor off again. Whoever counts load has no such ids; for all
other requests this costs a look at the id, and at a context variable for each command.

Only requests from near are recorded: their address, and all that X-Forwarded-For names, must belong to this machine,
or to the networks that were named. (The consumer sees events, which have no address: it records what its batches cost,
whoever sent them.) What is recorded goes
nowhere by itself: the command `trace` of the process gives it to the supervisor. The number of requests and of spans is
bounded; the oldest request goes first.

Spans are dicts, for they leave as JSON: `name`, `to` (whom this process called; "" for work of its own), `began`
(seconds on `clock`, which is one for all processes of a machine), `seconds` (None: not over yet), and what else was
noted. `clock` is `perf_counter`: on Linux, macOS and Windows it counts from the machine's start.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address, ip_network
from typing import Any

PREFIX = "trace-"
"""Of the id of a request that wants to be traced."""
REQUESTS = 200
"""That are remembered."""
SPANS = 300
"""Of one request; what comes later is left out."""
TEXT = 80
"""Characters of a key or an answer that are noted."""

clock = time.perf_counter
Record = dict[str, Any]

LOOPBACK = ("127.0.0.0/8", "::1/128")


def asks(request_id: object) -> bool:
    """Whether a request with this id wants to be traced."""
    return isinstance(request_id, str) and request_id.startswith(PREFIX) and len(request_id) <= 128


class Near:
    """From where requests may be traced. `networks`: such as "10.213.0.0/16". ValueError: one is none."""

    def __init__(self, networks: Iterable[str] = LOOPBACK) -> None:
        self._networks = [ip_network(each) for each in networks]

    def holds(self, peer: str, forwarded: str = "") -> bool:
        """Whether all addresses that a request names are near. `forwarded`: its X-Forwarded-For, or ""."""
        return all(self._has(each.strip()) for each in (peer, *(forwarded.split(",") if forwarded else ())))

    def _has(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found in network for network in self._networks)


class Recording:
    """The spans of one request in this process, in the order in which they began."""

    __slots__ = ("spans",)

    def __init__(self) -> None:
        self.spans: list[Record] = []

    def add(self, name: str, to: str = "", **facts: Any) -> Record:
        """A span that begins now, or at `began`."""
        record: Record = {"name": name, "to": to, "began": clock(), "seconds": None, **facts}
        if len(self.spans) < SPANS:
            self.spans.append(record)
        return record

    def moment(self, name: str, **facts: Any) -> None:
        """Something that takes no time worth telling."""
        self.add(name, seconds=0.0, **facts)

    @contextmanager
    def span(self, name: str, to: str = "", **facts: Any) -> Iterator[Record]:
        """A span around the block; what the block raises is noted as `failed`."""
        record = self.add(name, to, **facts)
        try:
            yield record
        except BaseException as error:
            record["failed"] = type(error).__name__
            raise
        finally:
            record["seconds"] = clock() - record["began"]


_current: ContextVar[Recording | None] = ContextVar("recording", default=None)


def current() -> Recording | None:
    """Where what happens now is to be recorded; None nearly always."""
    return _current.get()


def remark(**facts: Any) -> None:
    """Adds to the span that began last, if there is one."""
    if (recording := _current.get()) is not None and recording.spans:
        recording.spans[-1].update(facts)


@contextmanager
def recorded(recording: Recording, name: str, **facts: Any) -> Iterator[Record]:
    """A span around the block; what happens in it, in tasks that it starts too, goes to the same recording."""
    token = _current.set(recording)
    try:
        with recording.span(name, **facts) as record:
            yield record
    finally:
        _current.reset(token)


class Traces:
    """The recordings of one process, by request id. `near`: from where requests may be recorded."""

    def __init__(self, near: Near | None = None) -> None:
        self.near = near or Near()
        self._kept: OrderedDict[str, Recording] = OrderedDict()

    def begin(self, *request_ids: str) -> Recording:
        """A recording for these requests together. For one that has a recording already: that one goes on."""
        recording = (
            next((self._kept[each] for each in request_ids if each in self._kept), None) or Recording()
        )
        for request_id in request_ids:
            self._kept.setdefault(request_id, recording)
        while len(self._kept) > REQUESTS:
            self._kept.popitem(last=False)
        return recording

    def of(self, request_id: str) -> Recording | None:
        return self._kept.get(request_id)

    def spans(self, request_id: object) -> list[Record]:
        """For the command `trace`. Empty: nothing was recorded of such a request."""
        recording = self._kept.get(str(request_id))
        return [] if recording is None else list(recording.spans)


def shown(value: Any) -> str | int | float:
    """An answer of a service, short: "nothing", a number, a text, "3 items"."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value)
        case int() | float():
            return value
        case str():
            return value[:TEXT]
        case bytes():
            return f"{len(value)} bytes"
        case list() | tuple() | set() | dict():
            return f"{len(value)} items"
    return type(value).__name__


def described(args: Iterable[Any]) -> tuple[str, str, str]:
    """Of the parts of a Redis command: its name, its key, and what is written there ("" where there is none)."""
    words = [str(each) for each in args]
    name, *rest = " ".join(words[:1]).split(" ") + words[1:]
    name = name.upper()
    if name in ("EVAL", "EVALSHA"):  # script, number of keys, key, ...
        return name, rest[2][:TEXT] if len(rest) > 2 else "", ""
    value = rest[1][:TEXT] if name in ("SET", "SETEX", "PSETEX", "SETNX", "PUBLISH") and len(rest) > 1 else ""
    return name, rest[0][:TEXT] if rest else "", value
