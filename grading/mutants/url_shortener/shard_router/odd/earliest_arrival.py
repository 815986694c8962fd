"""Rendezvous hashing turned round: the shard whose bus comes first. With weights it is still right."""

import hashlib
import math


class ShardRouter:
    def __init__(self, *, shards):
        self.shards = frozenset(shards)

    def shard_of(self, code):
        return min(sorted(self.shards), key=lambda shard: waiting(shard, code))


def waiting(shard, code):
    digest = hashlib.sha1(f"{code} at {shard}".encode()).digest()
    return -math.log((int.from_bytes(digest[:6], "big") + 1) / 2**48)
