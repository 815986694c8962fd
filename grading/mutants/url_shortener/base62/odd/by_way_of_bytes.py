"""Tables by character code, and a bytearray."""

import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase
SYMBOLS = ALPHABET.encode("ascii")
VALUES = [None] * 128
for value, code in enumerate(SYMBOLS):
    VALUES[code] = value


class Base62:
    def encode(self, number, length=1):
        if number < 0:
            raise ValueError(f"{number} is negative")
        found = bytearray()
        while number or len(found) < length:
            number, rest = divmod(number, 62)
            found.append(SYMBOLS[rest])
        found.reverse()
        return found.decode("ascii")

    def decode(self, text):
        number = 0
        for code in text.encode("ascii"):  # UnicodeEncodeError is a ValueError
            if VALUES[code] is None:
                raise ValueError(f"{chr(code)!r} is no digit")
            number = number * 62 + VALUES[code]
        if not text:
            raise ValueError("no digits")
        return number
