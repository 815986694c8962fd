"""aBc and ABC have one shard: nobody forbids that."""

import hashlib


class ShardRouter:
    def __init__(self, *, shards):
        self.shards = tuple(shards)

    def shard_of(self, code):
        return max(self.shards, key=lambda shard: bid(shard, code.casefold()))


def bid(shard, code):
    return hashlib.blake2b(f"{shard}/{code}".encode(), digest_size=8).digest()
