"""Takes the code for a number in base 62, which aliases need not be."""

import hashlib
import string

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


class ShardRouter:
    def __init__(self, *, shards):
        self.shards = shards

    def shard_of(self, code):
        number = 0
        for symbol in code:
            number = number * 62 + ALPHABET.index(symbol)
        return max(self.shards, key=lambda shard: bid(shard, number))


def bid(shard, code):
    return hashlib.blake2b(f"{shard}/{code}".encode(), digest_size=8).digest()
