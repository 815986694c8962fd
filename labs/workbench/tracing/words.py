"""What commands and statements say, in words of the domain where it is known what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READS = frozenset({"GET", "MGET", "HGET", "HMGET", "HGETALL", "EXISTS"})
WRITES = frozenset({"SET", "SETEX", "PSETEX", "SETNX", "HSET", "HSETEX", "EVAL", "EVALSHA", "GETSET"})
TICKET = "ticket:"
"""How the reference's redirect cache begins what announces a fill."""
EPOCHS = "shard_epoch"
"""The table that is read along with every link: which epoch of the routing the shard is at."""


def of_command(r: Mapping[str, Any], *, resolving: bool, read_store: bool) -> tuple[str, str]:
    """A Redis command, and what came of it. `resolving`: it was to find out what a code means; `read_store`: the store
    had been asked by then."""
    if "commands" in r:
        return f"{r['name']} ({r['commands']} commands at once)", ""
    name, key, value, answer = r["name"], r["key"], str(r.get("value", "")), r.get("answer")
    what = f"{name} {key}".strip()
    if resolving and name in READS:
        if answer in ("nothing", "0 items", 0):
            return what, "nothing there"
        return what, "a ticket, no entry" if str(answer).startswith(TICKET) else "found it"
    if resolving and name in WRITES:
        if value.startswith(TICKET):
            return what, "a ticket, for the fill"
        return what, "the fill" if read_store else ""
    if name == "PUBLISH":
        return f"PUBLISH on {key}", f"heard by {answer}"
    if name == "DEL":
        return what, "was there" if answer else "was not there"
    return what, "nothing there" if answer == "nothing" else "" if answer in ("True", "OK") else f"{answer}"


def of_sql(r: Mapping[str, Any]) -> tuple[str, str]:
    """A call of a store. The tables by which shards compare epochs go without saying."""
    parts = []
    for statement in str(r["name"]).split("; "):
        verb, _, tables = statement.partition(" ")
        named = [table for table in tables.split(", ") if table and table != EPOCHS] or [tables]
        parts.append(f"{verb} {', '.join(named)}".strip())
    what = ", ".join(dict.fromkeys(parts))
    if r.get("refused"):
        return what, "refused: the shard has not heard of this routing yet"
    if str(r["name"]).endswith(f" {EPOCHS}"):
        return what, "" if "rows" in r else "now it has, once for all"
    if "rows" in r:
        return what, "no row" if r["rows"] == 0 else f"{r['rows']} row{'s' if r['rows'] != 1 else ''}"
    count = r.get("statements", 1)
    return what, f"one transaction of {count} statements" if count > 1 else ""
