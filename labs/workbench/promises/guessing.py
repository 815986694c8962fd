"""The statement that codes cannot be guessed: what known codes tell, and how full the space of codes gets."""

from __future__ import annotations

import math
import random

from grading.answers.requirements import Statement
from reference.shortener.guessability import guess
from workbench.notebook.links import create_links
from workbench.promises.stage import Stage
from workbench.promises.table import Tried

ISSUED, KNOWN = 160, 80
UNLIKELY = 1e-4
"""So improbable must the hits be by chance before codes are said to tell something about one another."""


async def not_guessable(stage: Stage, said: Statement) -> Tried:
    wanted, links = said.number("guesses_per_hit"), said.number("links")
    codes = [*stage.codes, *await create_links(stage.stack, ISSUED - len(stage.codes), "not-guessable")]
    lengths = sorted({len(code) for code in codes})
    if len(lengths) > 1:
        told = ", ".join(str(length) for length in lengths)
        return Tried("not shown", f"Codes have {told} characters; the shortest are guessed first.")
    found = guess(codes, KNOWN, random.Random(1))
    near = f"{found.tries:,} guesses near {KNOWN} known codes hit {found.hits} of the {len(codes) - KNOWN} others. "
    if found.hits and found.chance < UNLIKELY:
        return Tried("broken", f"{near}That is no chance: codes tell something about one another.")
    rate = 62 ** lengths[0] / links
    figures = f"{near}Codes have {lengths[0]} characters: one guess in {rate:,.0f} hits, with {links:,.0f} links live."
    if rate >= wanted:
        return Tried("kept", figures)
    longer = math.ceil(math.log(wanted * links, 62) - 1e-9)
    return Tried("broken", f"{figures} {wanted:,.0f} guesses for a hit take {longer} characters.")
