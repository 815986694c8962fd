"""Ends with an error that the service does not know."""

import hmac


class HashCodes:
    def __init__(self, *, base62, random, key):
        self.base62 = base62
        self.random = random
        self.key = key

    async def new_code(self, long_url, namespace):
        salt = b""
        for _ in range(8):
            code = self.code_of(salt + long_url.encode())
            if await namespace.claim(code):
                return code
            salt = self.random.randbytes(16)
        raise RuntimeError("all taken")

    def code_of(self, message):
        number = int.from_bytes(hmac.digest(self.key, message, "sha256"), "big")
        return self.base62.encode(number % 62**7, 7)
