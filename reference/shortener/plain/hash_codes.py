"""Plain filling of `url-shortener/hash-codes`: look first, then claim, as the textbooks have it.

Right, because the claim decides all the same. The look before it settles nothing, for somebody may claim the code
in between, and costs every link a round trip.
"""

from __future__ import annotations

import hmac
import random

from reference.platform.errors import Unavailable
from reference.shortener.components import CODE_LENGTH, Base62, Namespace


class HashCodes:
    def __init__(self, *, base62: Base62, random: random.Random, key: bytes) -> None:
        self.base62 = base62
        self.random = random
        self.key = key

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        salt = 0
        for _ in range(8):
            digest = hmac.digest(self.key, f"{salt} {long_url}".encode(), "sha256")
            code = self.base62.encode(int.from_bytes(digest, "big") % 62**CODE_LENGTH, CODE_LENGTH)
            if not await namespace.taken(code) and await namespace.claim(code):
                return code
            salt = self.random.getrandbits(64)
        raise Unavailable("8 codes in a row were taken")
