"""Keeps the number in `self` while it reads, and clears it only at the end."""

import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def __init__(self):
        self.number = 0

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
        for symbol in text:
            self.number = self.number * 62 + ALPHABET.index(symbol)
        number, self.number = self.number, 0
        return number
