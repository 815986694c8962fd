"""Jump consistent hash over the shards without duplicates: a set, whose order is another in each process."""

import hashlib


class ShardRouter:
    def __init__(self, *, shards):
        self.shards = list(set(shards))

    def shard_of(self, code):
        key = int.from_bytes(hashlib.sha256(code.encode()).digest()[:8], "big")
        chosen, jump = 0, 0
        while jump < len(self.shards):
            chosen = jump
            key = (key * 2862933555777941757 + 1) % 2**64
            jump = int((chosen + 1) * (2**31 / ((key >> 33) + 1)))
        return self.shards[chosen]
