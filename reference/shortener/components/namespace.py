"""What all strategies for codes have in common: where a code is claimed.

A strategy returns a code that it has *claimed*: the store's atomic insert decides whether a code is free, and
nothing before it does. Custom aliases live in the same namespace, so even a number that nobody else can draw
may be taken.
"""

from __future__ import annotations

from typing import Protocol


class Namespace(Protocol):
    """Port: all codes that there are, made or chosen, for one link that is about to be made.

    Promises: of all claims for one code by all links, at most one gets True; a claim that got True lasts for
    ever. The same link may repeat a claim of its own and gets the same answer.
    Errors: `reference.platform.errors.Unavailable` (not claimed), `Indefinite` (perhaps claimed, and then lost
    unless it is repeated).
    """

    async def claim(self, code: str) -> bool:
        """True: the code is this link's. False: somebody else has it."""
        ...

    async def taken(self, code: str) -> bool:
        """Whether the code had an owner at some instant during this call. By the answer's arrival it may have one."""
        ...
