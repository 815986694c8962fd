"""The slot `url-shortener/redirect-cache`: what does a code mean now?"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

from reference.shortener.components.links import Answer, Clock, LinkReader

if TYPE_CHECKING:
    from redis.asyncio import Redis


class RedirectCache(Protocol):
    """Slot `url-shortener/redirect-cache`: answers "what does this code mean now?" on the read path.

    Every app server has an instance of its own; all share one Redis (`cache`), which may be slow, empty,
    evicting or away at any time (it raises `redis.exceptions.RedisError`; its client waits 0.25 s at most).
    Commands sent to it arrive within 10 s, or never. `links` is the store, the only source of truth.
    """

    def __init__(
        self, *, cache: Redis, links: LinkReader, clock: Clock, random: random.Random, ttl: float
    ) -> None:
        """`cache`: a redis-py asyncio client with `decode_responses=True`. `ttl`: seconds, the longest that an entry
        may stay. Connects to nothing; nothing is awaited here."""
        ...

    async def resolve(self, code: str) -> Answer:
        """What `code` means now. Raises a store's error if the store is needed and fails; never a cache's error."""
        ...

    async def invalidate(self, code: str) -> None:
        """The service calls this after the store's row for `code` was created or deleted, before it acknowledges.

        Once this has returned, on any server, no `resolve` that begins `DELETION_BOUND` seconds later, on any
        server, answers from before the change. If that cannot be promised (the cache is away), it raises
        `reference.platform.errors.PortError` or `redis.exceptions.RedisError`. The service then answers a deletion
        with 503: try again. A creation is acknowledged all the same, since links must be made without a cache too:
        whoever asked for that code before may get "unknown" for as long as that is remembered.
        """
        ...


DELETION_BOUND = 2.0
"""Seconds after an acknowledged deletion by which no server redirects any more."""

NEGATIVE_TTL_MAX = 60.0
"""Seconds that "there is no such code" may be remembered at most: whoever guesses ahead must not block a new link."""
