"""The slot `url-shortener/shard-router`: which shard has a code?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class ShardRouter(Protocol):
    """Slot `url-shortener/shard-router`. Its method is pure: every server, and the one that moves links when the
    shards change, must come to the same answer, in every process and on every machine.

    Links spread evenly. When a shard is added, few links move, and those to the new one: of 3 to 4, a quarter.
    """

    def __init__(self, *, shards: Sequence[str]) -> None:
        """`shards`: the names of the shards in use, such as ["shard-1", "shard-2", "shard-3"], at least one."""
        ...

    def shard_of(self, code: str) -> str:
        """One of `shards`."""
        ...
