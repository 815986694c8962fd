"""Who gets a name that two ask for at once: of a service that looks first, and of one whose insert decides."""

from __future__ import annotations

import asyncio


class LooksFirst:
    """Asks whether the name is free, then writes it. In between, others ask, too."""

    def __init__(self) -> None:
        self.owner: dict[str, str] = {}

    async def claim(self, name: str, who: str) -> bool:
        """Whether `who` is told that the name is theirs."""
        free = name not in self.owner
        await asyncio.sleep(0)  # the way to the database and back
        if free:
            self.owner[name] = who
        return free


class InsertDecides(LooksFirst):
    """Writes, if nothing is there yet, in one step; what the database says is the answer."""

    async def claim(self, name: str, who: str) -> bool:
        await asyncio.sleep(0)
        return self.owner.setdefault(name, who) == who


async def both_win(service: LooksFirst, races: int) -> int:
    """In how many of so many races both of two clients were told that the name is theirs."""
    told = 0
    for number in range(races):
        answers = await asyncio.gather(*(service.claim(f"name-{number}", who) for who in ("Ada", "Bob")))
        told += all(answers)
    return told
