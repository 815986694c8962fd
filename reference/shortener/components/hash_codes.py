"""The slot `hash-codes`: hash the URL, and see to the collisions."""

from __future__ import annotations

import random
from typing import Protocol

from reference.shortener.components.base62 import Base62
from reference.shortener.components.namespace import Namespace


class HashCodes(Protocol):
    """Slot `url-shortener/hash-codes`: a code of CODE_LENGTH characters from a hash of the long URL.

    Every code of the whole space can come out, and who knows a URL cannot tell its code, for lack of `key`. Two
    links to one URL are two links: the second meets the first as a collision.
    """

    def __init__(self, *, base62: Base62, random: random.Random, key: bytes) -> None:
        """`key`: a secret, the same on all servers. `random`: unpredictable in service, seeded under the judge."""
        ...

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        """A code that `namespace.claim` has granted. `Unavailable` if none was to be had in 8 attempts."""
        ...
