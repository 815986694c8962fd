"""The same questions to two kinds of store, and what each answer costs: round trips, values, bytes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

LINKS, OWNERS, NEWEST = 1_000, 50, 5


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one answer. `values`: what came back from the store, wanted or not; `bytes`: as text."""

    question: str
    store: str
    round_trips: int
    values: int
    bytes: int


def costs() -> Iterator[Cost]:
    """Asks both stores for one link by its code, and for the NEWEST links of one owner. ValueError if they disagree."""
    rows = [(f"code{n}", f"owner{n % OWNERS}", n, f"https://example.com/page/{n}") for n in range(LINKS)]
    one, newest = "one link by its code", f"the newest {NEWEST} of an owner"
    last = {row[0] for row in [row for row in rows if row[1] == "owner7"][-NEWEST:]}
    with closing(KeyValueLinks(rows)) as key_value, closing(SqlLinks(rows)) as sql:
        yield agreed(one, "key-value", key_value.by_code("code7"), {"code7"})
        yield agreed(one, "relational", sql.by_code("code7"), {"code7"})
        yield agreed(newest, "key-value, by code only", key_value.newest_by_looking("owner7"), last)
        yield agreed(newest, "key-value, own index", key_value.newest_by_index("owner7"), last)
        yield agreed(newest, "relational", sql.newest("owner7"), last)


@dataclass(slots=True)
class Answer:
    """`found`: codes. `moved`: all that came back from the store."""

    found: set[str]
    round_trips: int
    moved: list[Any]


def agreed(question: str, store: str, answer: Answer, expected: set[str]) -> Cost:
    if answer.found != expected:
        raise ValueError(f"{question}: {store} found {answer.found}")
    size = sum(len(str(value).encode()) for value in answer.moved)
    return Cost(question, store, answer.round_trips, len(answer.moved), size)


class KeyValueLinks:
    """A value for each code; and beside them, kept by hand, a sorted set of codes for each owner."""

    def __init__(self, rows: list[tuple[str, str, int, str]]) -> None:
        from fakeredis import FakeRedis, FakeServer

        self.redis: Any = FakeRedis(server=FakeServer(), decode_responses=True)
        self.redis.mset({f"link:{row[0]}": json.dumps(row) for row in rows})
        for code, owner, at, _ in rows:
            self.redis.zadd(f"of:{owner}", {code: at})  # a second write with each link, which may fail alone

    def close(self) -> None:
        self.redis.close()

    def by_code(self, code: str) -> Answer:
        value = self.redis.get(f"link:{code}")
        return Answer({json.loads(value)[0]}, 1, [value])

    def newest_by_looking(self, owner: str) -> Answer:
        """The store knows codes and nothing else: all of it has to come."""
        keys, cursor, trips = [], 0, 0
        while trips == 0 or cursor:
            cursor, some = self.redis.scan(cursor, match="link:*", count=100)
            keys += some
            trips += 1
        values = self.redis.mget(keys)
        mine = sorted((json.loads(value) for value in values), key=lambda row: int(row[2]))
        found = {row[0] for row in [row for row in mine if row[1] == owner][-NEWEST:]}
        return Answer(found, trips + 1, [*keys, *values])

    def newest_by_index(self, owner: str) -> Answer:
        codes = self.redis.zrevrange(f"of:{owner}", 0, NEWEST - 1)
        values = self.redis.mget([f"link:{code}" for code in codes])
        return Answer({json.loads(value)[0] for value in values}, 2, [*codes, *values])


class SqlLinks:
    """One table, with an index that the database keeps itself."""

    def __init__(self, rows: list[tuple[str, str, int, str]]) -> None:
        self.database = sqlite3.connect(":memory:")
        self.database.execute(
            "CREATE TABLE links (code TEXT PRIMARY KEY, owner TEXT, made_at INT, long_url TEXT)"
        )
        self.database.execute("CREATE INDEX of_owner ON links (owner, made_at)")
        self.database.executemany("INSERT INTO links VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        self.database.close()

    def by_code(self, code: str) -> Answer:
        return self._rows("SELECT * FROM links WHERE code = ?", code)

    def newest(self, owner: str) -> Answer:
        return self._rows(f"SELECT * FROM links WHERE owner = ? ORDER BY made_at DESC LIMIT {NEWEST}", owner)

    def _rows(self, query: str, value: str) -> Answer:
        rows = self.database.execute(query, (value,)).fetchall()
        return Answer({row[0] for row in rows}, 1, [json.dumps(row) for row in rows])
