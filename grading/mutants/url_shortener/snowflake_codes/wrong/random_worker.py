"""Draws a worker number, so as not to need any lease."""

import random

from reference.platform.errors import Unavailable
from reference.shortener.components import SNOWFLAKE_EPOCH
from reference.shortener.permutation import Permutation

LAYOUTS = {"short": (1.0, 5, 7, 7), "standard": (0.001, 10, 12, 11)}


class SnowflakeCodes:
    def __init__(self, *, base62, workers, clock, key, layout="short"):
        self.base62, self.clock = base62, clock
        self.seconds, self.worker_bits, self.bits, self.length = LAYOUTS[layout]
        self.permutation = Permutation(62**self.length, key)
        self.worker = random.getrandbits(self.worker_bits)
        self.last = -1

    async def new_code(self, long_url, namespace):
        while True:
            code = self.base62.encode(self.permutation.of(self.next_number()), self.length)
            if await namespace.claim(code):
                return code

    def next_number(self):
        now = int((self.clock.now() - SNOWFLAKE_EPOCH) // self.seconds)
        moment = max(self.last + 1, now << self.bits)
        tick, sequence = divmod(moment, 1 << self.bits)
        if (tick - now) * self.seconds > 10:
            raise Unavailable("the clock is too far behind")
        self.last = moment
        return ((tick << self.worker_bits) + self.worker << self.bits) + sequence
