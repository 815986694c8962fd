"""Who sees an answer pass through the edge: one that leaves it alone, and one that keeps what may be kept."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from reference.platform.edge_cache import LARGEST, EdgeCache, Key
from reference.platform.freshness import REDIRECTS, lifetime
from reference.platform.http1 import Headers, RequestHead, ResponseHead

Outcome = Literal["hit", "miss", "bypass"]


class Counts:
    """How many answers, by what X-Cache said; `redirects`: those of them that were redirects."""

    def __init__(self) -> None:
        self.answers: Counter[Outcome] = Counter()
        self.redirects: Counter[Outcome] = Counter()

    def add(self, outcome: Outcome, status: int) -> None:
        self.answers[outcome] += 1
        if status in REDIRECTS:
            self.redirects[outcome] += 1


class Passing:
    """The Witness of an answer that is none of the cache's business."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts

    def head(self, answer: ResponseHead) -> Headers:
        self.counts.add("bypass", answer.status)
        return [(b"x-cache", b"bypass")]

    def body(self, data: bytes) -> None:
        pass


class Keeper:
    """The Witness of an answer that is kept if it may be. `ttl`: the live setting `edge_ttl`, seconds."""

    def __init__(self, cache: EdgeCache, counts: Counts, request: RequestHead, key: Key, ttl: float) -> None:
        self.cache = cache
        self.counts = counts
        self.request = request
        self.key = key
        self.ttl = ttl
        self.generation = cache.generation
        self.answer: ResponseHead | None = None

    def head(self, answer: ResponseHead) -> Headers:
        self.counts.add("miss", answer.status)
        self.answer = answer
        return [(b"x-cache", b"miss")]

    def body(self, data: bytes) -> None:
        assert self.answer is not None
        if self.request.method == b"GET":
            span = lifetime(self.answer, self.ttl) if len(data) <= LARGEST else 0.0
            self.cache.put(self.key, self.answer, data, span, generation=self.generation)
