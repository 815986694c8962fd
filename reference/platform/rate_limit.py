"""A limit on how often somebody may do something: a token bucket, shared by all servers.

Each name has a bucket that gains `limit` tokens a minute and holds as many at most (but at least one); whoever finds
it empty is told when to come again. The buckets lie in Redis, where one script looks and takes in one step. Without
Redis each server keeps buckets of its own: with n servers somebody may then do n times as much, which is better
than to let nobody do anything, or everybody everything. A flushed cache fills all buckets.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference.platform.clock import Clock

PER = 60.0
"""Seconds in which `limit` tokens come."""

LOCAL_BUCKETS = 10_000
"""Names that a server keeps buckets for while Redis is away. The one that came first makes room."""

TAKE = """
local limit, now, per = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local most = math.max(1, limit)
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'as_of')
local tokens, as_of = tonumber(bucket[1]) or most, tonumber(bucket[2]) or now
-- Servers' clocks differ a little: time never runs backwards for a bucket.
now = math.max(now, as_of)
tokens = math.min(most, tokens + (now - as_of) * limit / per)
local allowed = tokens >= 1
if allowed then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'as_of', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(1000 * per * most / limit))
return {allowed and 1 or 0, tostring(tokens)}
"""
"""Runs inside Redis. Lua's numbers would come back without their fraction, hence `tostring`."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a bucket says. `limit`: tokens a minute. `left`: whole tokens. `retry_after`: seconds to the next one."""

    allowed: bool
    limit: float
    left: int
    retry_after: int

    @classmethod
    def of(cls, allowed: bool, limit: float, tokens: float) -> Allowance:
        wait = 0.0 if tokens >= 1 else (1 - tokens) * PER / limit
        return cls(allowed, limit, int(tokens), max(1, math.ceil(wait)))

    def headers(self, name: str) -> dict[str, str]:
        """RateLimit fields, as the IETF's draft (draft-ietf-httpapi-ratelimit-headers) has them."""
        return {
            "RateLimit-Policy": f'"{name}";q={int(self.limit)};w={int(PER)}',
            "RateLimit": f'"{name}";r={self.left};t={self.retry_after}',
        }


class RateLimit:
    """`name`: of what is limited."""

    def __init__(self, name: str, redis: Redis, clock: Clock) -> None:
        self.name = name
        self._redis = redis
        self._clock = clock
        self._local: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def take(self, who: str, limit: float) -> Allowance:
        """Takes a token out of the bucket of `who`, if there is one. `limit`: tokens a minute, above 0."""
        now = self._clock.now()
        try:
            arguments = (f"limit:{self.name}:{who}", str(limit), f"{now:.6f}", str(PER))
            allowed, tokens = await self._redis.eval(TAKE, 1, *arguments)
        except RedisError:
            return self._take_here(who, limit, now)
        return Allowance.of(bool(allowed), limit, float(tokens))

    def _take_here(self, who: str, limit: float, now: float) -> Allowance:
        """The same as TAKE."""
        most = max(1.0, limit)
        tokens, as_of = self._local.pop(who, (most, now))
        now = max(now, as_of)
        tokens = min(most, tokens + (now - as_of) * limit / PER)
        allowed = tokens >= 1
        self._local[who] = (tokens - allowed, now)
        if len(self._local) > LOCAL_BUCKETS:
            self._local.popitem(last=False)
        return Allowance.of(allowed, limit, tokens - allowed)
