"""A text that is longer than `length` is cut."""

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
        text = text.rjust(length, ALPHABET[0])
        return text[-length:] if length > 1 else text

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        number = 0
        for symbol in text:
            number = number * 62 + ALPHABET.index(symbol)
        return number
