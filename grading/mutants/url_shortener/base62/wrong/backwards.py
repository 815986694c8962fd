"""The digits are left in the order in which the division yields them."""

import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def encode(self, number, length=1):
        if number < 0:
            raise ValueError(f"{number} is negative")
        digits = []
        while number:
            number, rest = divmod(number, 62)
            digits.append(ALPHABET[rest])
        return "".join(digits).rjust(length, ALPHABET[0])

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        return sum(ALPHABET.index(symbol) * 62**place for place, symbol in enumerate(text))
