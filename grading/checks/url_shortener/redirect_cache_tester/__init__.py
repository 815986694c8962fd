"""The suite of the slot `url-shortener/redirect-cache-tester`: a learner's tester is shown recordings of caches."""

from __future__ import annotations

import hashlib
import string
from pathlib import Path

from grading.checks.testers.bank import FILE, Bank
from grading.checks.testers.trying import Nothing, Trying
from grading.checks.url_shortener.redirect_cache_tester.telling import moments
from grading.judge.requirement import load

SYMBOLS = string.digits + string.ascii_letters


def another_code(code: str, seed: int) -> str:
    digest = hashlib.sha256(f"{seed} {code}".encode()).digest()
    return "".join(SYMBOLS[byte % 62] for byte in digest[:7])


BANK = Bank(Path(__file__).with_name(FILE), another_code)
TRYING = Trying(BANK, "wrong-answer", moments)

BUGS = (
    "wrong-answer",
    "after-deletion",
    "after-expiry",
    "missing-link",
    "no-answer",
    "queries",
    "lifetimes",
)

SCENARIOS = {
    "right-ones": (TRYING.right_ones(every=2), TRYING.many()),
    **{bug: (TRYING.one_bug(bug),) for bug in BUGS},
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, lambda plan: Nothing())
