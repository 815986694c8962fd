"""Seven digits of the hash, as hexadecimal text."""

import hmac

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
        return hmac.new(self.key, message, "sha256").hexdigest()[:7]
