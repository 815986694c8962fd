"""Components that are nearly the same text, whatever their names, comments and layout.

As in Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting" (SIGMOD 2003): a text
is the set of its short runs of tokens; runs that everybody was given, or that much of the class wrote, say nothing.
A pair is a reason to look, and proves nothing: a short exercise has few right answers.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

RUN = 8
"""Tokens of one run."""
ALIKE = 0.8
"""Share of the runs of both texts together that they have in common, from which a pair is told."""
LEAST = 20
"""Runs that a text must have beside the common ones; with fewer, likeness is chance."""
COMMON = 0.5
"""Share of the class from which a run counts as everybody's, in classes of FEW and more."""
FEW = 5

SKIPPED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
}


@dataclass(frozen=True, slots=True)
class Pair:
    """`alike`: from 0 to 1."""

    one: str
    other: str
    alike: float


def pairs(texts: Mapping[str, str], given: Iterable[str] = ()) -> list[Pair]:
    """Those of `texts` (who -> source) that are alike, the likest first. `given`: sources that all could copy."""
    everybodys = frozenset[tuple[str, ...]]().union(*map(runs, given))
    found = {who: runs(text) - everybodys for who, text in texts.items()}
    if len(found) >= FEW:
        often = Counter(run for each in found.values() for run in each)
        common = {run for run, count in often.items() if count > COMMON * len(found)}
        found = {who: each - common for who, each in found.items()}
    told = [
        Pair(one, other, len(a & b) / len(a | b))
        for (one, a), (other, b) in combinations(sorted(found.items()), 2)
        if min(len(a), len(b)) >= LEAST and len(a & b) >= ALIKE * len(a | b)
    ]
    return sorted(told, key=lambda pair: (-pair.alike, pair.one, pair.other))


def runs(source: str) -> frozenset[tuple[str, ...]]:
    """All runs of RUN tokens. Names are one token, so are strings and numbers, so that renaming changes nothing."""
    tokens = list(_tokens(source))
    return frozenset(tuple(tokens[i : i + RUN]) for i in range(len(tokens) - RUN + 1))


def _tokens(source: str) -> Iterable[str]:
    """As far as the text can be read; what cannot be tokenized is compared word by word."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in SKIPPED:
                continue
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                yield "name"
            elif token.type in {tokenize.NUMBER, tokenize.STRING}:
                yield "value"
            else:
                yield token.string
    except (tokenize.TokenError, SyntaxError):
        yield from source.split()
