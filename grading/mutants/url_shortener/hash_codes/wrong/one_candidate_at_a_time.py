"""The candidate lies in the instance: callers that overlap share it."""

import hmac

from reference.platform.errors import Unavailable


class HashCodes:
    def __init__(self, *, base62, random, key):
        self.base62 = base62
        self.random = random
        self.key = key

    async def new_code(self, long_url, namespace):
        self.salt = b""
        for _ in range(8):
            self.code = self.code_of(self.salt + long_url.encode())
            if await namespace.claim(self.code):
                return self.code
            self.salt = self.random.randbytes(16)
        raise Unavailable("all taken")

    def code_of(self, message):
        number = int.from_bytes(hmac.digest(self.key, message, "sha256"), "big")
        return self.base62.encode(number % 62**7, 7)
