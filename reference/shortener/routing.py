"""Where links are, and where they are going: the routing, a row that all servers share, and its epochs.

A *placement* is a router and the shards that it chooses from. The routing is stable in one placement, or moves the
links from one, A, to another, B, while servers go on serving. Each change has a new number, its *epoch*.

How nothing is lost on the way. Every server acts by the routing that it read last, and tells the shard its epoch with
each read and write. A shard refuses whoever is behind it, in the very statement that would have read or
written (`repository`), and whoever is refused reads the routing again. So once a shard has been raised to
an epoch, nobody acts on it by an earlier one; no server need be asked, found, or waited for.

    stable    a code's link is on A(code).

    moving    A(code) and B(code) are two shards, a and b (if they are one, nothing changes for the code).
              What a has on the code counts, until there is a *stub* on a: from then on what b has counts, for ever.
              Stubs are made by an insert that finds nothing on a; and by the mover, after it has copied the row to b,
              and only if the row is still as it was copied. Everybody asks a first, and goes to b if there
              is a stub. So a code has one place that counts at each instant, and an atomic insert there.

    settling  no row is left on any a, only stubs: everybody asks b only, and the stubs are removed.

Why each step is safe. *stable to moving*: who still acts by A alone touches only a; who acts by the new epoch
touches a first, and so raises it. They cannot both act on one code. *Copying twice*, by two movers, or one
that died and one that went on: rows only ever lose (URL, token; they are deleted or purged), so a copy is merged
into what b has, and the one that has lost more wins, in whatever order they come. *moving to settling*: the
mover has raised all shards, so there are no inserts by A alone, and has seen no row left to move. Who still
acts by "moving" finds the stub on a, or makes one, and goes to b, like those who know better; at b
they meet, and the atomic insert decides. *Removing stubs*: by the new epoch only, when a has been raised to it;
whoever would need a stub is refused there and cannot miss it. *A later re-shard*, which may make a the new home
of codes: begins only after the last stub is gone, at an epoch under which no late removal is possible.

While nothing moves, nobody reads this row but a server that starts: if it is away, links are served and made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reference.platform.errors import Unavailable
from reference.platform.sql import Database, Row, statement

Phase = Literal["stable", "moving", "settling"]

TABLE = """
CREATE TABLE IF NOT EXISTS routing (
    only_row INTEGER PRIMARY KEY,
    epoch BIGINT NOT NULL,
    phase TEXT NOT NULL,
    before_move TEXT NOT NULL,
    after_move TEXT NOT NULL
)"""


@dataclass(frozen=True)
class Placement:
    """`router`: {"filling": "reference"}, {"filling": "plain"}, or {"source": a module's text, "label": its name}.
    `shards`: names, in the order in which the router is told them."""

    router: Mapping[str, str]
    shards: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.router.get("filling") or self.router.get("label") or "yours"

    def text(self) -> str:
        return json.dumps({"router": dict(self.router), "shards": self.shards})

    @classmethod
    def of(cls, text: str) -> Placement:
        read = json.loads(text)
        return cls(read["router"], tuple(read["shards"]))


@dataclass(frozen=True)
class Routing:
    """`before` matters while the phase is "moving", and to whoever clears up after it."""

    epoch: int
    phase: Phase
    before: Placement
    after: Placement

    @property
    def shards(self) -> list[str]:
        """Those of both placements."""
        return sorted({*self.before.shards, *self.after.shards})


class RoutingTable:
    """The row. Raises PortError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self, first: Placement) -> None:
        """Makes the table, and epoch 1 in it, unless somebody has."""
        await self._database.define([TABLE])
        await self._database.transaction(
            [
                statement(
                    "INSERT INTO routing (only_row, epoch, phase, before_move, after_move) "
                    "VALUES (1, 1, 'stable', $1, $2) ON CONFLICT (only_row) DO NOTHING",
                    *(first.text(), first.text()),
                )
            ]
        )

    async def read(self) -> Routing:
        rows = await self._database.query("SELECT epoch, phase, before_move, after_move FROM routing")
        if not rows:
            raise Unavailable("no server has written the first routing yet")
        return self._routing(rows[0])

    async def change(self, old: Routing, new: Routing) -> bool:
        """False: somebody else has changed it since `old` was read."""
        [rows] = await self._database.transaction(
            [
                statement(
                    "UPDATE routing SET epoch = $1, phase = $2, before_move = $3, after_move = $4 "
                    "WHERE epoch = $5 AND phase = $6 RETURNING epoch",
                    *(new.epoch, new.phase, new.before.text(), new.after.text(), old.epoch, old.phase),
                )
            ]
        )
        return bool(rows)

    def _routing(self, row: Row) -> Routing:
        before, after = Placement.of(row["before_move"]), Placement.of(row["after_move"])
        return Routing(row["epoch"], row["phase"], before, after)
