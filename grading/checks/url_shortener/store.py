"""The oracle: the judge's own model of the store of links, which remembers what was true when."""

from __future__ import annotations

from typing import Any

EDGE = 0.001
"""Seconds: what happens closer than this to an expiry may be answered either way (clocks are floats)."""

Row = dict[str, Any]


class LinkStore:
    """Times are virtual seconds since the run began; `expires_at` in rows is POSIX seconds."""

    def __init__(self) -> None:
        self.versions: dict[str, list[tuple[float, Row | None]]] = {}

    def put(self, t: float, row: Row) -> str:
        self.versions.setdefault(row["code"], []).append((t, row))
        return f"the link {row['code']} is created"

    def delete(self, t: float, key: str) -> str:
        self.versions.setdefault(key, []).append((t, None))
        return f"the row of {key} is deleted"

    def answer(self, t: float, method: str, args: list[Any]) -> Row | None:
        if method != "find" or len(args) != 1:
            raise ValueError(f"no such query: {method}")
        return self.row(args[0], t) if isinstance(args[0], str) else None

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
