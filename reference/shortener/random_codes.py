"""Codes drawn at random: no counter, no worker number, no pool, and nothing that servers would have to share.

62 ** 7 is 3.5 * 10**12. A random code tells nobody how many links there are. Whether it is free is decided by the
claim, and by nothing before it.
"""

from __future__ import annotations

import random

from reference.platform.errors import Unavailable
from reference.shortener.components import ALPHABET, CODE_LENGTH, Namespace

DRAWS = 5
"""Codes that are tried for one link. One draw in 35,000 meets a code in use when a hundred million links exist."""


class RandomCodes:
    def __init__(self, source: random.Random, length: int = CODE_LENGTH) -> None:
        """`source`: a `random.SystemRandom()` in service: the outputs of any other tell what comes next."""
        self._source = source
        self._length = length

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        """A code that `namespace.claim` has granted. Raises PortError."""
        for _ in range(DRAWS):
            code = "".join(self._source.choices(ALPHABET, k=self._length))
            if await namespace.claim(code):
                return code
        raise Unavailable(f"{DRAWS} random codes in a row were taken")
