"""Draws each symbol from the hash by itself, and throws away what would favour one."""

import hashlib

from reference.platform.errors import Unavailable


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
        raise Unavailable("all taken")

    def code_of(self, message):
        drawn = hashlib.blake2b(message, key=self.key[:64], digest_size=64).digest()
        fair = [byte % 62 for byte in drawn if byte < 4 * 62]
        return "".join(self.base62.encode(value) for value in fair[:7])
