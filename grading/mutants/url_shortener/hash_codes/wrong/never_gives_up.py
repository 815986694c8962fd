"""Tries until a code is free, however long that takes."""

import hmac


class HashCodes:
    def __init__(self, *, base62, random, key):
        self.base62 = base62
        self.random = random
        self.key = key

    async def new_code(self, long_url, namespace):
        salt = b""
        while True:
            code = self.code_of(salt + long_url.encode())
            if await namespace.claim(code):
                return code
            salt = self.random.randbytes(16)

    def code_of(self, message):
        number = int.from_bytes(hmac.digest(self.key, message, "sha256"), "big")
        return self.base62.encode(number % 62**7, 7)
