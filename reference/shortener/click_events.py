"""From an event of the log to a click that can be counted.

The log holds what other processes wrote, of other versions, perhaps by mistake. What gets past here can be stored; so
nothing that the store would refuse may get past, or one event would be refused again and again and stop all those
behind it in its partition.
"""

from __future__ import annotations

import re

from reference.platform.events import Envelope
from reference.shortener.click_rows import CLICKED
from reference.shortener.components import Click

VERSIONS = (1, 2)
"""Version 1 told the code and the time only."""
UNREADABLE = "unreadable"
"""The type that the log gives to what it cannot decode."""

_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_CODE = re.compile(r"[\w-]{1,64}", re.ASCII)
_TEXT = re.compile(r"[ -~]{0,100}")
"""Printable ASCII: no NUL, which PostgreSQL does not store, and no lone surrogate."""


def is_click(event: Envelope) -> bool:
    """Whether an event is, or may have been meant as, a click. Others are nobody's business here."""
    return event.type in (CLICKED, UNREADABLE)


def click_of(event: Envelope) -> Click | None:
    """The click; None if it cannot be read. Never raises.

    A referrer, agent or address that cannot be stored is left out: the click counts all the same."""
    if event.type != CLICKED or event.version not in VERSIONS:
        return None
    if not (_matches(_ID, event.id) and _matches(_CODE, event.key)):
        return None
    if isinstance(event.time, bool) or not isinstance(event.time, int | float):
        return None
    try:
        time = float(event.time)
    except OverflowError:
        return None
    data = event.data if isinstance(event.data, dict) else {}
    return Click(
        event.id, event.key, time, *(_text(data.get(name)) for name in ("referrer", "agent", "address"))
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) and _matches(_TEXT, value) else ""


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
