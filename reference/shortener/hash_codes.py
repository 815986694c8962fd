"""Reference filling of `url-shortener/hash-codes`: a keyed hash of the long URL, reduced to seven digits.

The key makes it a secret which code a URL has. A bare hash would let anybody ask whether some URL was ever shortened.
The whole 256 bits are reduced modulo 62 ** 7: every code can come out, and none is likelier than another by more than
one part in 2 ** 214. (To cut a hexadecimal text to seven digits leaves 16 ** 7 codes, one in 13,000 of those that there
are, and at 19,000 links two of them collide as likely as not.)

Collisions are certain to come: from chance, from aliases, and from every second link to one URL. The claim decides,
for whatever a look beforehand tells may be out of date by the time of the claim. A collision is followed by a fresh
random salt. A counter in its place, as the textbooks have it, walks the same codes for every link to one URL: its
thousandth link tries 999 codes that its forerunners have. With a salt, the second attempt is as good as any first one.
"""

from __future__ import annotations

import hmac
import random

from reference.platform.errors import Unavailable
from reference.shortener.components import CODE_LENGTH, Base62, Namespace

ATTEMPTS = 8
"""With a tenth of all codes taken, all attempts fail once in ten million links that are second to their URL."""
SALT_BYTES = 16


class HashCodes:
    def __init__(self, *, base62: Base62, random: random.Random, key: bytes) -> None:
        self.base62 = base62
        self.random = random
        self.key = key

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        salt = bytes(SALT_BYTES)
        for _ in range(ATTEMPTS):
            code = self.code_of(long_url, salt)
            if await namespace.claim(code):
                return code
            salt = self.random.randbytes(SALT_BYTES)
        raise Unavailable(f"{ATTEMPTS} codes in a row were taken")

    def code_of(self, long_url: str, salt: bytes) -> str:
        """The salt has a fixed length: no two pairs of salt and URL are one message."""
        digest = hmac.digest(self.key, salt + long_url.encode(), "sha256")
        return self.base62.encode(int.from_bytes(digest, "big") % 62**CODE_LENGTH, CODE_LENGTH)
