"""The seven places of the URL shortener that a learner's component can take; their contracts are in `components`."""

from __future__ import annotations

from redis.exceptions import RedisError

from reference.platform.contained import Slot
from reference.platform.errors import PortError


def fillings(module: str) -> dict[str, str]:
    return {"plain": f"reference.shortener.plain.{module}", "reference": f"reference.shortener.{module}"}


BASE62 = Slot(
    name="url-shortener/base62",
    class_name="Base62",
    methods={"encode": (ValueError,), "decode": (ValueError,)},
    fillings=fillings("base62"),
    pure=frozenset({"encode", "decode"}),
)

HASH_CODES = Slot(
    name="url-shortener/hash-codes",
    class_name="HashCodes",
    methods={"new_code": (PortError,)},
    fillings=fillings("hash_codes"),
)

SNOWFLAKE_CODES = Slot(
    name="url-shortener/snowflake-codes",
    class_name="SnowflakeCodes",
    methods={"new_code": (PortError,)},
    fillings=fillings("snowflake_codes"),
)

KEY_POOL = Slot(
    name="url-shortener/key-pool",
    class_name="KeyPool",
    methods={"new_code": (PortError,), "generate": (PortError, RedisError)},
    fillings=fillings("key_pool"),
)

REDIRECT_CACHE = Slot(
    name="url-shortener/redirect-cache",
    class_name="RedirectCache",
    methods={"resolve": (PortError,), "invalidate": (PortError, RedisError)},
    fillings=fillings("redirect_cache"),
)

SHARD_ROUTER = Slot(
    name="url-shortener/shard-router",
    class_name="ShardRouter",
    methods={"shard_of": ()},
    fillings=fillings("shard_router"),
    pure=frozenset({"shard_of"}),
)

CLICK_AGGREGATOR = Slot(
    name="url-shortener/click-aggregator",
    class_name="ClickAggregator",
    methods={"count": (PortError,)},
    fillings=fillings("click_aggregator"),
)

SLOTS = {
    slot.name: slot
    for slot in (
        BASE62,
        HASH_CODES,
        SNOWFLAKE_CODES,
        KEY_POOL,
        REDIRECT_CACHE,
        SHARD_ROUTER,
        CLICK_AGGREGATOR,
    )
}
"""By name."""
