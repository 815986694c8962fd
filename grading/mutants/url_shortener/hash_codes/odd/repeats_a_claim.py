"""Repeats a claim whose answer was lost, until there is one."""

import asyncio
import hmac

from reference.platform.errors import Indefinite, Unavailable


class HashCodes:
    def __init__(self, *, base62, random, key):
        self.base62 = base62
        self.random = random
        self.key = key

    async def new_code(self, long_url, namespace):
        salt = b""
        for _ in range(8):
            code = self.code_of(salt + long_url.encode())
            if await self.claimed(namespace, code):
                return code
            salt = self.random.randbytes(16)
        raise Unavailable("all taken")

    async def claimed(self, namespace, code):
        for pause in (0.1, 0.4, 1.6, 6.4):
            try:
                return await namespace.claim(code)
            except Indefinite:
                await asyncio.sleep(pause)
        return await namespace.claim(code)

    def code_of(self, message):
        number = int.from_bytes(hmac.digest(self.key, message, "sha256"), "big")
        return self.base62.encode(number % 62**7, 7)
