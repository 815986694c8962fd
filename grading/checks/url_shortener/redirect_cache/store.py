"""The oracle: the judge's own model of the store of links, which remembers what was true when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from grading.judge.history import Ask
from grading.judge.model import StaticModel
from grading.judge.plan import Op
from grading.judge.world import EPOCH

EDGE = 0.001
"""Seconds: what happens closer than this to an expiry may be answered either way (clocks are floats)."""

Row = dict[str, Any]


class LinkStore(StaticModel):
    """Times are virtual seconds since the run began; `expires_at` in rows is POSIX seconds."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        """`rows`: what it holds at first; their times are relative to the run's start."""
        self.versions: dict[str, list[tuple[float, Row | None]]] = {}
        for row in rows:
            self.put(0.0, row | {"expires_at": EPOCH + row["expires_at"]})

    def happen(self, t: float, op: Op) -> str:
        if op.do == "put":
            row = op.args[0]
            return self.put(t, row | {"expires_at": EPOCH + row["expires_at"]})
        return self.delete(t, op.args[0])

    def put(self, t: float, row: Row) -> str:
        self.versions.setdefault(row["code"], []).append((t, row))
        return f"the link {row['code']} is created"

    def delete(self, t: float, key: str) -> str:
        self.versions.setdefault(key, []).append((t, None))
        return f"the row of {key} is deleted"

    def answer(self, t: float, ask: Ask) -> Row | None:
        if ask.method != "find" or len(ask.args) != 1:
            raise ValueError(f"no such query: {ask.method}")
        return self.row(ask.args[0], t)

    def row(self, code: str, t: float) -> Row | None:
        row = None
        for since, version in self.versions.get(code, []):
            if since <= t:
                row = version
        return row

    def changes(self, code: str) -> list[float]:
        """When the row was created or deleted while the run went on."""
        return [t for t, _ in self.versions.get(code, []) if t > 0]

    def answers(self, code: str, since: float, began: float, ended: float, epoch: float) -> list[Row]:
        """All answers that are right for a call from `began` to `ended` that may see the row as of `since` or later."""
        right: list[Row] = []
        versions = [(float("-inf"), None), *self.versions.get(code, [])]
        for index, (start, row) in enumerate(versions):
            end = versions[index + 1][0] if index + 1 < len(versions) else float("inf")
            if end <= since or start > ended:
                continue
            if row is None:
                right.append({"state": "unknown", "long_url": None})
                continue
            expires = row["expires_at"] - epoch
            if began - EDGE < expires:
                right.append({"state": "live", "long_url": row["long_url"]})
            if expires <= ended + EDGE:
                right.append({"state": "expired", "long_url": None})
        return right
