"""Salts that look random, and are the same for every link to the URL."""

import hmac
import random

from reference.platform.errors import Unavailable


class HashCodes:
    def __init__(self, *, base62, random, key):
        self.base62 = base62
        self.random = random
        self.key = key

    async def new_code(self, long_url, namespace):
        chance = random.Random(long_url)
        salt = b""
        for _ in range(200):
            code = self.code_of(salt + long_url.encode())
            if await namespace.claim(code):
                return code
            salt = chance.randbytes(16)
        raise Unavailable("all taken")

    def code_of(self, message):
        number = int.from_bytes(hmac.digest(self.key, message, "sha256"), "big")
        return self.base62.encode(number % 62**7, 7)
