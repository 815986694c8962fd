"""Regular expressions of matchers, as a set of places: each step knows every place where the text so far can end.

Python's own `re` tries one way after the other, and can need years for a dozen characters; Prometheus' RE2 cannot, and
neither can this. A pattern has to match the whole text. Taken are characters, `.`, `[a-z]`, `\\d \\w \\s`, `( )`, `|`
and `* + ?`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Ends = frozenset[int]
Step = Callable[[str, Ends], Ends]
"""Of a text and the places where a match may begin: those where it may end."""

MAX_PATTERN = 200
MAX_DEPTH = 5
"""Parentheses within parentheses: each level may look at the text a few times as often."""

_CLASSES: dict[str, Callable[[str], bool]] = {
    "d": lambda c: c in "0123456789",
    "w": lambda c: c.isascii() and (c.isalnum() or c == "_"),
    "s": lambda c: c in " \t\n\f\r",
}


class BadPattern(ValueError):
    """No regular expression, or more than is taken here."""


@dataclass(frozen=True, slots=True)
class Pattern:
    step: Step

    def matches(self, text: str) -> bool:
        return len(text) in self.step(text, frozenset({0}))


def pattern(text: str) -> Pattern:
    """BadPattern says what is wrong."""
    if len(text) > MAX_PATTERN:
        raise BadPattern(f"a pattern of {len(text)} characters; {MAX_PATTERN} must do")
    reader = _Reader(text)
    step = reader.choice()
    if reader.at < len(text):
        raise BadPattern("a ) without its (")
    return Pattern(step)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def choice(self) -> Step:
        """a|b|c"""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadPattern("parentheses are nested too deeply")
        ways = [self.sequence()]
        while self.next() == "|":
            self.at += 1
            ways.append(self.sequence())
        self.depth -= 1
        return ways[0] if len(ways) == 1 else _any_of(ways)

    def sequence(self) -> Step:
        steps: list[Step] = []
        while self.next() not in ("", "|", ")"):
            steps.append(self.repeated())
        return _one_after_the_other(steps)

    def repeated(self) -> Step:
        step = self.one()
        sign = self.next()
        if sign and sign in "*+?":
            self.at += 1
            step = _any_of([step, _nothing]) if sign == "?" else _often(step, least=int(sign == "+"))
            if (again := self.next()) and again in "*+?":
                raise BadPattern(f"{sign}{again} repeats what is repeated already")
        if sign == "{":
            raise BadPattern("{n,m} is a real pattern, which this exercise does not take; write it out")
        return step

    def one(self) -> Step:
        sign = self.next()
        self.at += 1
        if sign == "(":
            if self.text.startswith("?:", self.at):
                self.at += 2
            step = self.choice()
            if self.next() != ")":
                raise BadPattern("a ( without its )")
            self.at += 1
            return step
        if sign == "[":
            return _character(self.bracket())
        if sign == ".":
            return _character(lambda c: c != "\n")
        if sign == "\\":
            return _character(self.escaped())
        if sign in "*+?{":
            raise BadPattern(f"{sign} repeats nothing")
        if sign in "^$":
            raise BadPattern(f"{sign} is not needed: a matcher's pattern always has to match the whole value")
        return _character(lambda c: c == sign)

    def escaped(self) -> Callable[[str], bool]:
        sign = self.next()
        self.at += 1
        if sign in _CLASSES:
            return _CLASSES[sign]
        if sign == "" or sign.isalnum():
            raise BadPattern(f"\\{sign} is not taken here")
        return lambda c: c == sign

    def bracket(self) -> Callable[[str], bool]:
        """[a-z_], [^0-9]; the [ has been read."""
        other = self.next() == "^"
        self.at += other
        inside: list[Callable[[str], bool]] = []
        while self.next() != "]" or not inside:
            inside.append(self.span())
        self.at += 1
        return lambda c: any(each(c) for each in inside) != other

    def span(self) -> Callable[[str], bool]:
        low = self.next()
        self.at += 1
        if low == "":
            raise BadPattern("a [ without its ]")
        if low == "\\":
            return self.escaped()
        if self.next() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return lambda c: c == low
        high = self.text[self.at + 1]
        self.at += 2
        if high < low or high == "\\":
            raise BadPattern(f"[{low}-{high}] is no range")
        return lambda c: low <= c <= high


def _character(fits: Callable[[str], bool]) -> Step:
    return lambda text, ends: frozenset(end + 1 for end in ends if end < len(text) and fits(text[end]))


def _nothing(text: str, ends: Ends) -> Ends:
    return ends


def _one_after_the_other(steps: list[Step]) -> Step:
    def step(text: str, ends: Ends) -> Ends:
        for each in steps:
            if not ends:
                break
            ends = each(text, ends)
        return ends

    return step


def _any_of(ways: list[Step]) -> Step:
    return lambda text, ends: frozenset[int]().union(*(way(text, ends) for way in ways))


def _often(step: Step, least: int) -> Step:
    def often(text: str, ends: Ends) -> Ends:
        found = new = step(text, ends) if least else ends
        while new:
            new = step(text, new) - found
            found |= new
        return found

    return often
