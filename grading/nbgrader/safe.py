"""Makes harmless what people read in a browser: learners' prose, and characters that steer a screen."""

from __future__ import annotations

import re

import bleach  # type: ignore[import-untyped]
from nbconvert.filters import markdown2html

PROSE = "abbr b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i kbd li ol p pre q s small span strong sub"
TABLES = "sup table tbody td th thead tr u ul"
TAGS = frozenset(f"{PROSE} {TABLES}".split())

# C0 and C1 controls but tab and newline; marks that turn the direction of writing; separators that end a line.
STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)


def plain(text: str) -> str:
    """`text` without control characters: it cannot move a cursor, nor show itself in another order than it has."""
    return STEERING.sub("", text)


def markdown_to_safe_html(text: str) -> str:
    """Markdown as nbconvert renders it, then only tags that cannot run, load, link or send anything.

    A link keeps its words alone: following one would tell a stranger who reads, and when. A list keeps the number that
    it begins with: "302. Browsers keep a 301" is a list to Markdown, and that number is the answer.
    """
    html = markdown2html(plain(text))
    return str(
        bleach.clean(
            html, tags=TAGS, attributes={"ol": ["start"]}, protocols=set(), strip=True, strip_comments=True
        )
    )
