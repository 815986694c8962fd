"""Plain filling of `url-shortener/shard-router`: a hash of the code, modulo the number of shards.

Right, even, and fast, as long as the number of shards stays: from 3 to 4, three of four codes have another
remainder and must move, for only those whose remainder by 12 is 0, 1 or 2 stay.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence


class ShardRouter:
    def __init__(self, *, shards: Sequence[str]) -> None:
        self.shards = shards

    def shard_of(self, code: str) -> str:
        # Not hash(): Python salts it anew in each process, and no two servers would agree.
        return self.shards[zlib.crc32(code.encode()) % len(self.shards)]
