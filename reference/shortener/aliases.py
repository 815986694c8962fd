"""Short codes that people choose: which ones may be had, and how two of them are kept from passing for each other.

Aliases share the namespace of the codes that the service makes, and who owns one is decided as for those: by the
insert of the link. Three things are refused before that.

- What shadows a route, or passes for one: `docs`, `D0CS`.
- What has the very shape of a made code, seven letters and digits. So no alias can pass for a code that somebody has
  seen elsewhere (`aB3xK9p` for `aB3xk9p`), now or later, without an index of all codes ever made.
- What passes for another alias: `paypa1` for `paypal`. Each alias has a *skeleton*, which all that look like it share,
  and the first spelling of a skeleton is the only one for ever.
"""

from __future__ import annotations

import re
from typing import Protocol

from reference.platform.sql import Database, statement
from reference.shortener.components.base62 import CODE_LENGTH

SHORTEST, LONGEST = 3, 32

_ALIAS = re.compile(rf"[0-9A-Za-z_-]{{{SHORTEST},{LONGEST}}}")
_CODE = re.compile(r"[0-9A-Za-z_-]{1,32}")

RESERVED = (
    *(
        "api",
        "app",
        "docs",
        "openapi",
        "redoc",
        "static",
        "healthz",
        "readyz",
        "metrics",
        "favicon",
        "robots",
    ),
    *("admin", "login", "logout", "index", "sitemap", "well-known", "security", "help", "about", "status"),
)
"""First parts of routes that there are, or that people would believe in."""


def could_be_code(text: str) -> bool:
    """Whether asking for `text` is worth it: a made code, of whatever length, or an alias."""
    return _CODE.fullmatch(text) is not None


def skeleton(alias: str) -> str:
    """What all aliases that look like `alias` have in common.

    The ASCII part of Unicode's table of confusables (Technical Standard 39), and upper case for lower case, as
    people who read an address aloud do not tell them apart."""
    text = alias.lower().translate(_TWINS)
    return text.replace("rn", "m").replace("vv", "w")


_TWINS = str.maketrans({"o": "0", "i": "1", "l": "1", "_": "-"})

_RESERVED = {skeleton(word) for word in RESERVED}


def is_reserved(code: str) -> bool:
    """Whether `code` is one of RESERVED, or looks like one. A made code may not be one either."""
    return skeleton(code) in _RESERVED


def check_alias(alias: str, made_length: int = CODE_LENGTH) -> None:
    """ValueError, with a text for the client, if nobody may have `alias`. `made_length`: of the codes that are made."""
    if _ALIAS.fullmatch(alias) is None:
        raise ValueError(f"an alias has {SHORTEST} to {LONGEST} of 0-9, A-Z, a-z, _ and -")
    if is_reserved(alias):
        raise ValueError("this alias is reserved, or looks like one that is")
    if len(alias) == made_length and alias.isalnum():
        raise ValueError(
            f"{made_length} letters and digits are what the codes look like that are made here: "
            "take another length, or a - or _"
        )


TABLES = (
    """CREATE TABLE IF NOT EXISTS alias_spellings (
        skeleton TEXT PRIMARY KEY,
        spelling TEXT NOT NULL
    )""",
)


class Spellings(Protocol):
    """Port: of each skeleton the one spelling that may be used.

    Promises: all calls, on all servers, for ever, get the same answer for one skeleton. It says nothing about
    whose the alias is: that is the link's insert. So a server that dies between the two has settled a spelling,
    and left the alias free.
    Errors: PortError; repeat the call, it is idempotent.
    """

    async def settle(self, alias: str) -> str:
        """The spelling of `alias`' skeleton: `alias`, unless another one came first."""
        ...


class SqlSpellings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def settle(self, alias: str) -> str:
        # One statement, so one winner: on a conflict it changes nothing, and returns what was there.
        [[row]] = await self._database.transaction(
            [
                statement(
                    "INSERT INTO alias_spellings (skeleton, spelling) VALUES ($1, $2) ON CONFLICT (skeleton) "
                    "DO UPDATE SET spelling = alias_spellings.spelling RETURNING spelling",
                    *(skeleton(alias), alias),
                )
            ]
        )
        return str(row["spelling"])
