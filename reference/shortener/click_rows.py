"""What a click is, in memory and as the row of a batch that goes to the event log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from reference.platform.packs import Row
from reference.shortener.privacy import Visitor

CLICKED = "link.clicked"
VERSION = 2
"""Of the event: `data` tells of the visitor. Version 1 had none."""

Click = tuple[int, str, float, str, str]
"""Number, code, time, trace ("" if the request's id is the click's own), and `told` of the visitor. A plain tuple: a
class with names would double what a click costs."""


def rows(clicks: Iterable[Click]) -> list[Row]:
    """Each click under its code, which decides its partition; written by hand, as this is done for every redirect."""
    return [
        (code, f"[{number},{quoted(code)},{int(1e6 * time)},{quoted(trace)},{visitor}]")
        for number, code, time, trace, visitor in clicks
    ]


@lru_cache(4096)
def told(visitor: Visitor) -> str:
    """The values that an event's data has, as JSON. Many clicks have the same: few agents, few referrers, and a network
    for many addresses."""
    return json.dumps(visitor, separators=(",", ":"))[1:-1]
