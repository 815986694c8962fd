"""Remembers its answers, under the code in small letters."""

import hashlib


class ShardRouter:
    def __init__(self, *, shards):
        self.shards = shards
        self.known = {}

    def shard_of(self, code):
        key = code.lower()
        if key not in self.known:
            self.known[key] = max(self.shards, key=lambda shard: bid(shard, code))
        return self.known[key]


def bid(shard, code):
    return hashlib.blake2b(f"{shard}/{code}".encode(), digest_size=8).digest()
