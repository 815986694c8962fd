"""Rendezvous hashing by a checksum, which is no hash."""

import zlib


class ShardRouter:
    def __init__(self, *, shards):
        self.shards = shards

    def shard_of(self, code):
        return max(self.shards, key=lambda shard: zlib.crc32(f"{shard}/{code}".encode()))
