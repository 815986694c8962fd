"""Remembers the text of each number, whatever its length was."""

import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def __init__(self):
        self.known = {}

    def encode(self, number, length=1):
        if number < 0:
            raise ValueError(f"{number} is negative")
        if number not in self.known:
            text, left = "", number
            while left:
                left, rest = divmod(left, 62)
                text = ALPHABET[rest] + text
            self.known[number] = text.rjust(length, ALPHABET[0])
        return self.known[number]

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        number = 0
        for symbol in text:
            number = number * 62 + ALPHABET.index(symbol)
        return number
