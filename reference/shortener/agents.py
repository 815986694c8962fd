"""Which family of programs a User-Agent header names: enough for a chart, far too little to know a person by.

The header has forty years of pretence in it: Chrome says that it is Safari, Safari that it is Mozilla, Edge that it
is all three. So the order of the table matters: whoever pretends to be another stands before that other.
"""

from __future__ import annotations

LIMIT = 512
"""Characters of the header that are looked at."""

OTHER = "other"

FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bot", ("bot", "crawl", "spider", "slurp", "facebookexternalhit", "preview", "headlesschrome")),
    ("curl", ("curl/",)),
    ("Edge", ("edg/", "edge/", "edga/", "edgios/")),
    ("Opera", ("opr/", "opera", "opt/", "opx/")),
    ("Samsung Internet", ("samsungbrowser/",)),
    ("Firefox", ("firefox/", "fxios/")),
    ("Chrome", ("chrome/", "crios/", "chromium/")),
    ("Safari", ("safari/",)),
)
"""Family, and what its headers contain, in lower case. The first that fits wins."""

NAMES = (*(family for family, _ in FAMILIES), OTHER)
"""Everything that `family` can return."""


def family(user_agent: str) -> str:
    """One of NAMES for the value of a User-Agent header, OTHER if it is empty or unheard of. Pure."""
    text = user_agent[:LIMIT].lower()
    for name, marks in FAMILIES:
        for mark in marks:
            if mark in text:
                return name
    return OTHER
