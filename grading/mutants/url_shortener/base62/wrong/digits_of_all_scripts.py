"""Takes for a digit what Unicode takes for one."""

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
        number = 0
        for symbol in text:
            value = int(symbol) if symbol.isdecimal() else ALPHABET.index(symbol)
            number = number * 62 + value
        return number
