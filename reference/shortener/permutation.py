"""Numbers in a row become codes that look drawn at random, and no two of them alike.

A counter and a clock give numbers that nobody else has, and whose neighbours everybody can guess. A *permutation*
of range(size) under a secret key keeps the first and mends the second: it is one to one, so what was unique stays
unique, with no look at a store; and who lacks the key cannot tell which code comes before or after another.

How: a Feistel network over two halves, numbers below `side`, with side * side at or just above `size`. A round adds
to one half a keyed hash of the other, and can be undone whatever the hash is. What falls outside range(size) goes
through again (*cycle walking*) until it lies inside: it must, for from a number inside, the cycle leads back there.

J. Black, P. Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002 (the generalised Feistel network, cycle
walking). J. Patarin, "Security of Random Feistel Schemes with 5 or More Rounds", CRYPTO 2004: with six rounds,
telling it from a random permutation takes in the order of `side` known pairs, two million for 62 ** 7 codes.
NIST SP 800-38G standardises the like with ten rounds (FF1), for secrets that are worth more than a link's address.
"""

from __future__ import annotations

import hashlib
import math

ROUNDS = 6


class Permutation:
    """A bijection of range(size), the same for the same `key` in every process. Pure."""

    def __init__(self, size: int, key: bytes) -> None:
        """`key`: secret, of any length; its owner derives one for each use. ValueError: `size` is below 1."""
        if size < 1:
            raise ValueError(f"there is no permutation of {size} numbers")
        self.size = size
        self.side = math.isqrt(size - 1) + 1
        self._key = hashlib.blake2b(key).digest()  # 64 bytes, the most that a keyed hash takes

    def of(self, number: int) -> int:
        """Where `number` goes. ValueError: it is not in range(size)."""
        self._check(number)
        while True:
            left, right = divmod(number, self.side)
            for round in range(ROUNDS):
                left, right = right, (left + self._hash(round, right)) % self.side
            number = left * self.side + right
            if number < self.size:
                return number

    def back(self, number: int) -> int:
        """The number that `of` takes to `number`. ValueError: it is not in range(size)."""
        self._check(number)
        while True:
            left, right = divmod(number, self.side)
            for round in reversed(range(ROUNDS)):
                left, right = (right - self._hash(round, left)) % self.side, left
            number = left * self.side + right
            if number < self.size:
                return number

    def _check(self, number: int) -> None:
        if not 0 <= number < self.size:
            raise ValueError(f"{number} is not in range({self.size})")

    def _hash(self, round: int, half: int) -> int:
        """128 bits: reduced to a half of a number, each value is as likely as any other, to one part in 2 ** 90."""
        message = b"%d,%d" % (round, half)
        return int.from_bytes(hashlib.blake2b(message, key=self._key, digest_size=16).digest(), "big")
