"""A right component without any oddity: what the manifest's `edits` are made to."""

import asyncio

from reference.platform.errors import Indefinite, LeaseLost, Unavailable
from reference.shortener.components import SNOWFLAKE_EPOCH
from reference.shortener.permutation import Permutation

LAYOUTS = {"short": (1.0, 5, 7, 7), "standard": (0.001, 10, 12, 11)}


class SnowflakeCodes:
    def __init__(self, *, base62, workers, clock, key, layout="short"):
        self.base62, self.workers, self.clock = base62, workers, clock
        self.seconds, self.worker_bits, self.bits, self.length = LAYOUTS[layout]
        self.permutation = Permutation(62**self.length, key)
        self.lock = asyncio.Lock()
        self.lease = None

    async def new_code(self, long_url, namespace):
        while True:
            async with self.lock:
                number = await self.next_number()
            code = self.base62.encode(self.permutation.of(number), self.length)
            if await namespace.claim(code):
                return code

    async def next_number(self):
        try:
            if self.lease is None:
                lease = await self.workers.lease()
                self.reserved = self.tick_of(lease.floor)
                self.last = (self.reserved + 1 << self.bits) - 1
                self.lease = lease
            now = self.tick_of(self.clock.now())
            moment = max(self.last + 1, now << self.bits)
            tick, sequence = divmod(moment, 1 << self.bits)
            if (tick - now) * self.seconds > 10:
                raise Unavailable("the clock is too far behind")
            if tick > self.reserved:
                until = SNOWFLAKE_EPOCH + tick * self.seconds + 3
                self.lease = await self.workers.renew(self.lease, until)
                self.reserved = self.tick_of(until)
        except LeaseLost:
            self.lease = None
            raise Unavailable("the worker number is lost")
        except Indefinite:
            raise Unavailable("no worker number")
        self.last = moment
        return ((tick << self.worker_bits) + self.lease.worker << self.bits) + sequence

    def tick_of(self, instant):
        return int((instant - SNOWFLAKE_EPOCH) // self.seconds)
