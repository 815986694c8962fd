"""A table of slots: the n-th shard takes every n-th slot, whoever had it."""

import hashlib


class ShardRouter:
    def __init__(self, *, shards):
        self.table = [shards[0]] * 5040
        for number, shard in enumerate(shards[1:], 2):
            self.table[number - 1 :: number] = [shard] * len(self.table[number - 1 :: number])

    def shard_of(self, code):
        number = int.from_bytes(hashlib.sha256(code.encode()).digest()[:8], "big")
        return self.table[number % len(self.table)]
