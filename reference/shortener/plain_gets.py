"""Which requests the fast path takes: a GET that says nothing which would need more than a redirect."""

from __future__ import annotations

from typing import NamedTuple

from reference.platform.hosts import Hosts
from reference.platform.peers import client_address
from reference.platform.trace_context import brought, trace_id_in, trace_id_of
from reference.platform.tracing import Near, asks
from reference.shortener.click_rows import told
from reference.shortener.privacy import visitor

KNOWN = 10_000
"""Heads of requests that are remembered."""

SLOW_HEADERS = frozenset({b"content-length", b"transfer-encoding", b"upgrade", b"expect"})
"""What makes a GET more than a plain one."""
VISITOR_HEADERS = (b"referer", b"user-agent", b"x-forwarded-for")
KEEP_ALIVE = (None, b"keep-alive", b"Keep-Alive")

Headers = list[tuple[bytes, bytes]]


class Plain(NamedTuple):
    """What a plain GET says beside its path. `visitor`: as a click tells of it. `trace`: a request id of the client's
    own, or ""."""

    visitor: str
    trace: str


class Traced(Plain):
    """One that is to be recorded."""

    __slots__ = ()


class PlainGets:
    """`proxies`: of ours, in front of this server. `near`: from where requests may be traced."""

    def __init__(self, hosts: Hosts, proxies: int, near: Near | None = None) -> None:
        self._hosts = hosts
        self._proxies = proxies
        self._near = near or Near()
        self.known: dict[tuple[str, bytes], Plain] = {}
        """Of requests that were parsed before, by peer and by what stood behind the path."""

    def remember(self, peer: str, rest: bytes, asked: Plain) -> None:
        if len(self.known) >= KNOWN:
            self.known.clear()
        self.known[peer, rest] = asked

    def read(self, headers: Headers, peer: str) -> Plain | None:
        """What the headers of a GET say, if they say nothing that needs the slow path."""
        found = dict(headers)
        if (
            len(found) != len(headers)  # a header that is there twice
            or not SLOW_HEADERS.isdisjoint(found)
            or found.get(b"connection") not in KEEP_ALIVE
            or not self._hosts.known(found.get(b"host"))
        ):
            return None
        referer, agent, forwarded = (found.get(name, b"").decode("latin-1") for name in VISITOR_HEADERS)
        parent = found.get(b"traceparent")
        trace = brought(found.get(b"x-request-id"), parent)
        if parent is not None and trace_id_in(parent) != trace_id_of(trace):
            return None  # its log line has to tell of both
        kind = Traced if asks(trace) and self._near.holds(peer, forwarded) else Plain
        return kind(told(visitor(referer, agent, client_address(forwarded, peer, self._proxies))), trace)
