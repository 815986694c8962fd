"""Which server is asked: the policies of the balancer. Live setting `balancing`.

A policy puts the servers in an order; the first is asked, and the others stand by in case that it does not answer.

    round-robin         each in turn. Fair in requests, blind to their cost: a slow server gets as many as a fast one.
    least-outstanding   the one with the fewest requests under way. A slow server has more of them, so it gets fewer.
    by-key              the same path goes to the same server, whose memory then holds what is asked of it.

`Canary` goes around any of them while a new version is tried on one server.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from reference.platform.http1 import RequestHead


class Candidate(Protocol):
    """What a policy may know of a server."""

    name: str
    in_flight: int


C = TypeVar("C", bound=Candidate)


class Policy(Protocol):
    def order(self, servers: Sequence[C], key: bytes) -> list[C]:
        """All `servers`, the first choice first. Called once a request: keep it cheap."""
        ...


class RoundRobin:
    def __init__(self) -> None:
        self._turn = -1

    def order(self, servers: Sequence[C], key: bytes) -> list[C]:
        self._turn += 1
        first = self._turn % len(servers) if servers else 0
        return [*servers[first:], *servers[:first]]


class LeastOutstanding:
    """Among those that have equally few the turn goes round: else an idle stack would use its first server only."""

    def __init__(self) -> None:
        self._turns = RoundRobin()

    def order(self, servers: Sequence[C], key: bytes) -> list[C]:
        in_turn = self._turns.order(servers, key)
        return sorted(in_turn, key=lambda server: server.in_flight)  # which keeps the turn among equals


class ByKey:
    """Rendezvous hashing with a bounded load.

    Every server draws a number for the key, and the highest comes first. When a server goes, only its keys move, each
    to the server that comes second for it, so they spread over all that stay; when it returns they move back. A server
    that has more than `slack` times its share of the requests under way is passed over: a key that everybody wants
    may not drown one server while the others are idle.
    """

    def __init__(self, slack: float = 1.25) -> None:
        self.slack = slack

    def order(self, servers: Sequence[C], key: bytes) -> list[C]:
        ranked = sorted(servers, key=lambda server: weight(server.name, key), reverse=True)
        under_way = 1 + sum(server.in_flight for server in servers)  # with the one that is to be placed
        bound = math.ceil(self.slack * under_way / len(servers)) if servers else 0
        return sorted(ranked, key=lambda server: server.in_flight >= bound)


def weight(name: str, key: bytes) -> bytes:
    """What the server `name` draws for `key`. A checksum such as CRC-32 will not do: those of two names differ by the
    same bits whatever the key, and so the shares become unequal."""
    return hashlib.blake2b(key, digest_size=8, person=name.encode()[-16:]).digest()


class Canary:
    """One server, with a new version on it, gets a share of the requests that is its own; the others get the rest, by
    whatever policy there is. Whoever does not answer is stood in for, the canary too."""

    def __init__(
        self, server: str, share: float, rest: Policy, draw: Callable[[], float] = random.random
    ) -> None:
        self.server, self.share, self.rest, self._draw = server, share, rest, draw

    def order(self, servers: Sequence[C], key: bytes) -> list[C]:
        canary = [server for server in servers if server.name == self.server]
        others = self.rest.order([server for server in servers if server.name != self.server], key)
        return [*canary, *others] if self._draw() < self.share else [*others, *canary]


POLICIES: dict[str, type[RoundRobin] | type[LeastOutstanding] | type[ByKey]] = {
    "round-robin": RoundRobin,
    "least-outstanding": LeastOutstanding,
    "by-key": ByKey,
}


def key_of(request: RequestHead) -> bytes:
    """The path, without the query: what is asked for."""
    return request.target.partition(b"?")[0]
