"""The suite of the slot `url-shortener/hash-codes-tester`: a learner's tester is shown recordings of hash codes."""

from __future__ import annotations

import random
from pathlib import Path

from grading.checks.testers.bank import FILE, Bank
from grading.checks.testers.trying import Nothing, Trying
from grading.checks.url_shortener.hash_codes_tester.telling import moments
from grading.judge.requirement import load


def another_url(url: str, seed: int) -> str:
    drawn = random.Random(f"{seed} {url}")
    return f"https://site{drawn.randrange(1000)}.example/page/{drawn.randrange(10**9)}"


BANK = Bank(Path(__file__).with_name(FILE), another_url)
TRYING = Trying(BANK, "ownership", moments, large=("hundreds of URLs", "ninety URLs"))

BUGS = ("ownership", "form", "whole-space", "secret", "attempts", "forgotten", "costs")

SCENARIOS = {
    "right-ones": (TRYING.right_ones(), TRYING.many()),
    **{bug: (TRYING.one_bug(bug),) for bug in BUGS},
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, lambda plan: Nothing())
