"""Short codes: seven characters of base 62, drawn at random.

62 ** 7 is 3.5 * 10**12. A random code tells nobody how many links there are, and needs no counter that servers
would have to share; whether it is free is decided by the store's insert and by nothing before it.
"""

from __future__ import annotations

import random
import re
import string

ALPHABET = string.digits + string.ascii_letters
LENGTH = 7

_CODE = re.compile(r"[0-9A-Za-z]{1,32}")


def new_code(source: random.Random, length: int = LENGTH) -> str:
    """A code from `source`: `random.SystemRandom()` in service, a seeded generator in a test."""
    return "".join(source.choices(ALPHABET, k=length))


def could_be_code(text: str) -> bool:
    """Whether asking for `text` is worth it. Wider than what we make today."""
    return _CODE.fullmatch(text) is not None
