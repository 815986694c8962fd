"""A ring with one point for each shard: a new one relieves only its neighbour."""

import bisect
import hashlib


class ShardRouter:
    def __init__(self, *, shards):
        self.ring = sorted((point(shard), shard) for shard in shards)

    def shard_of(self, code):
        at = bisect.bisect(self.ring, (point(code), ""))
        return self.ring[at % len(self.ring)][1]


def point(text):
    return int.from_bytes(hashlib.md5(text.encode()).digest()[:8], "big")
