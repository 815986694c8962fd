"""Checks by assert."""

import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def encode(self, number, length=1):
        assert number >= 0, "negative"
        text = ""
        while number:
            number, rest = divmod(number, 62)
            text = ALPHABET[rest] + text
        return text.rjust(length, ALPHABET[0])

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        number = 0
        for symbol in text:
            number = number * 62 + ALPHABET.index(symbol)
        return number
