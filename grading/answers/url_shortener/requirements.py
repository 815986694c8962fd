"""01-requirements: the brief's vague words as statements that a run can break, and what is in scope."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from grading.answers.requirements import Requirements, Statements

NEAREST = 5.0
"""Milliseconds: light in a fibre takes as long for 500 km, there and back."""
TYPED = 12
"""Characters: nobody types a longer code than that from paper."""


def beside_each_other(statements: Statements) -> Mapping[tuple[str, str], str]:
    """What no field can tell alone."""
    found: dict[tuple[str, str], str] = {}
    fast, deletion = statements["redirects-fast"].values, statements["deletion"].values
    guesses, scope = statements["not-guessable"].values, statements["scope"].values
    limit = fast.get("limit")
    if fast.get("measured") == "client" and isinstance(limit, float) and limit < NEAREST:
        found["redirects-fast", "limit"] = (
            f"No system can pass this at every client: light in a fibre needs {NEAREST:g} ms for 500 km and back."
        )
    rate, links = guesses.get("guesses_per_hit"), guesses.get("links")
    if isinstance(rate, float) and isinstance(links, float):
        length = characters(links * rate)
        if length > TYPED:
            found["not-guessable", "guesses_per_hit"] = (
                f"With so many links that takes codes of {length} characters: short links are no longer short."
            )
    inside, outside = scope.get("in", ()), scope.get("out", ())
    if isinstance(inside, tuple) and isinstance(outside, tuple):
        if twice := [each for each in inside if each in outside]:
            found["scope", "out"] = f"{', '.join(twice)}: both in and out"
        left = [each for each in undecided(statements) if each not in (*inside, *outside)]
        if inside and outside and left:
            found["scope", "out"] = f"Nobody has decided about: {', '.join(left)}. Put each either in or out"
        if deletion.get("by") == "account owner" and "accounts" in outside:
            found["deletion", "by"] = (
                "The owner of an account may delete, and your scope leaves accounts out."
            )
    return found


def undecided(statements: Statements) -> tuple[str, ...]:
    """All that a scope is to decide about."""
    return next(each.choices for each in statements["scope"].asked.fields if each.name == "out")


def characters(codes: float) -> int:
    """Of base 62, for so many codes."""
    return math.ceil(math.log(max(codes, 1.0), 62) - 1e-9)


EXERCISE = Requirements.load(Path(__file__).with_name("requirements.toml"), beside_each_other)
