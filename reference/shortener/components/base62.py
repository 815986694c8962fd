"""The slot `base62`: numbers as text. And the length of the codes that the service makes of them."""

from __future__ import annotations

import string
from typing import Protocol

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase
"""The 62 symbols, in the order of their values."""

CODE_LENGTH = 7
"""Characters of a code that the service makes. 62 ** 7 is 3,521,614,606,208."""


class Base62(Protocol):
    """Slot `url-shortener/base62`: numbers as text over ALPHABET, and back. Both methods are pure."""

    def __init__(self) -> None: ...

    def encode(self, number: int, length: int = 1) -> str:
        """The digits of `number`, most significant first, padded on the *left* with ALPHABET[0] to `length` at least.

        ValueError: `number` is negative."""
        ...

    def decode(self, text: str) -> int:
        """The number that `text` stands for; padding changes nothing.

        ValueError: empty, or a symbol not in ALPHABET."""
        ...
