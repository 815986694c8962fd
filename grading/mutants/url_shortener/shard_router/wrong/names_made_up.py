"""Knows that shards are called shard-1, shard-2, …"""

import hashlib


class ShardRouter:
    def __init__(self, *, shards):
        self.count = len(shards)

    def shard_of(self, code):
        numbers = range(1, self.count + 1)
        return max((f"shard-{number}" for number in numbers), key=lambda shard: bid(shard, code))


def bid(shard, code):
    return hashlib.blake2b(f"{shard}/{code}".encode(), digest_size=8).digest()
