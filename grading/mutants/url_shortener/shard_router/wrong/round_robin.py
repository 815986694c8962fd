"""The shards take turns."""

import itertools


class ShardRouter:
    def __init__(self, *, shards):
        self.turns = itertools.cycle(shards)

    def shard_of(self, code):
        return next(self.turns)
