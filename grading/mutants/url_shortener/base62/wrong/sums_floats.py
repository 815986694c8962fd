"""decode adds up floats."""

import math
import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def encode(self, number, length=1):
        if number < 0:
            raise ValueError(f"{number} is negative")
        text = ""
        while number:
            number, rest = divmod(number, 62)
            text = ALPHABET[rest] + text
        return text.rjust(length, ALPHABET[0])

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        places = enumerate(reversed(text))
        return int(sum(ALPHABET.index(symbol) * math.pow(62, place) for place, symbol in places))
