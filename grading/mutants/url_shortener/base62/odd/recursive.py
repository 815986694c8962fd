"""Each call does one digit."""

import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def encode(self, number, length=1):
        if number < 0:
            raise ValueError(f"{number} is negative")
        before = self.encode(number // 62, 0) if number >= 62 else ""
        return (before + ALPHABET[number % 62]).zfill(length)

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        before = self.decode(text[:-1]) if len(text) > 1 else 0
        return 62 * before + ALPHABET.index(text[-1])
