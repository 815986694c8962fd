"""Chooses at random, and remembers what it chose."""

import random


class ShardRouter:
    def __init__(self, *, shards):
        self.shards = shards
        self.chosen = {}

    def shard_of(self, code):
        return self.chosen.setdefault(code, random.choice(self.shards))
