"""What nginx wrote of a request that is traced, as the spans that a proxy of ours would have recorded.

nginx's clock is that of the wall, in milliseconds that it looks up now and then: a span from here may be one off at
either end, and says so (`rounded`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Record = dict[str, Any]
ROUNDED = 0.001


def spans(log: str, request_id: str, names: Mapping[str, str], upstream: str, offset: float) -> list[Record]:
    """`names`: of whom it asks, by address; who has none there is `upstream`. `offset`: seconds from the wall's clock
    to that of the other spans."""
    return [span for line in log.splitlines() for span in _of(line, request_id, names, upstream, offset)]


def _of(
    line: str, request_id: str, names: Mapping[str, str], upstream: str, offset: float
) -> Iterator[Record]:
    try:
        told = json.loads(line)
    except ValueError:
        return  # an error of its own
    if not isinstance(told, dict) or told.get("traced") != request_id:
        return
    ended, kept = told["time"] + offset, {"how": "edge"} if told["kept"] == "HIT" else {}
    began = ended - told["seconds"]
    yield {
        "name": "pass on",
        "to": "",
        "began": began,
        "seconds": told["seconds"],
        "rounded": ROUNDED,
        "method": told["method"],
        "path": told["path"],
        "status": told["status"],
        **kept,
    }
    for address, seconds, status in zip(
        *map(_each, (told["asked"], told["took"], told["answered"])), strict=False
    ):
        spent = float(seconds) if seconds not in ("-", "") else 0.0
        asked = {"name": "ask", "to": names.get(address.rpartition(":")[0], upstream), "began": began}
        yield asked | {"seconds": spent, "rounded": ROUNDED} | _came_of_it(status)
        began += spent


def _came_of_it(status: str) -> Record:
    return {"status": int(status)} if status.isdigit() and status != "0" else {"failed": "no answer"}


def _each(told: str) -> list[str]:
    """Of what nginx writes of each server in turn: "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80"."""
    return [each.strip() for part in told.split(" : ") for each in part.split(",") if each.strip()]
