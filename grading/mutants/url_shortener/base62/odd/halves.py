"""Divides and conquers: the digits above some power of 62, and those below."""

import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class Base62:
    def encode(self, number, length=1):
        if number < 0:
            raise ValueError(f"{number} is negative")
        places = 1
        while 62**places <= number:
            places *= 2
        return self.digits(number, places).lstrip("0").rjust(max(1, length), "0")

    def digits(self, number, places):
        if places == 1:
            return ALPHABET[number]
        high, low = divmod(number, 62 ** (places // 2))
        return self.digits(high, places // 2) + self.digits(low, places // 2)

    def decode(self, text):
        strange = set(text) - set(ALPHABET)
        if strange or not text:
            raise ValueError(f"no digits: {strange}")
        if len(text) == 1:
            return ALPHABET.index(text)
        low = len(text) // 2
        return self.decode(text[:-low]) * 62**low + self.decode(text[-low:])
