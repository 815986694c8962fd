"""Quantities as learners write them: `38.6 links/s`, `3,000 to 5,000 redirects/s`, `33 GB`, `62^7 codes`.

Nothing is evaluated: a number, perhaps a second one, and a unit out of a closed vocabulary (`units.txt`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pint

UNITS = Path(__file__).with_name("units.txt")
MAX_TEXT = 120
WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "bn": 1e9}

_NUMBER = r"\d[\d,_' ]*(?:\.\d+)?(?:[eE][+-]?\d{1,3})?(?:\s*\^\s*\d{1,3})?"
_SCALE = rf"(?:\s*(?:{'|'.join(WORDS)})\b)?"
_QUANTITY = re.compile(
    rf"\s*(?:about|~|≈)?\s*(?P<low>{_NUMBER})(?P<low_scale>{_SCALE})"
    rf"(?:\s*(?:to|–|-|\.\.)\s*(?P<high>{_NUMBER})(?P<high_scale>{_SCALE}))?\s*(?P<unit>[^\d].*)?",
    re.DOTALL,
)
_UNIT = re.compile(r"[A-Za-z%/* ]{1,60}")
_NAME = re.compile(r"[A-Za-z%]+")


class NotAQuantity(ValueError):
    """The message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """From `low` to `high` (the same, if one number was given) in `unit`, as written."""

    low: float
    high: float
    unit: str

    @property
    def middle(self) -> float:
        """The geometric mean: halfway between 10 and 1,000 is 100."""
        return math.sqrt(self.low * self.high) if self.low > 0 else (self.low + self.high) / 2

    @property
    def is_range(self) -> bool:
        return self.low != self.high

    def in_unit(self, unit: str) -> Quantity:
        """The same in another unit. NotAQuantity if that measures something else."""
        factor = conversion(self.unit, unit)
        return Quantity(self.low * factor, self.high * factor, unit)

    def __str__(self) -> str:
        if not self.is_range:
            return f"{digits(self.low)} {self.unit}".rstrip()
        return f"{digits(self.low)} to {digits(self.high)} {self.unit}".rstrip()


@cache
def registry() -> Any:
    return pint.UnitRegistry(str(UNITS), autoconvert_offset_to_baseunit=False)


def parse(text: str) -> Quantity:
    """NotAQuantity says what is wrong with `text`, in words for whoever wrote it."""
    if len(text) > MAX_TEXT:
        raise NotAQuantity(f"{len(text)} characters are too many for a quantity; write such as 38.6 links/s")
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise NotAQuantity(
            f"{text!r} is no quantity; write a number or a range, and a unit: 38.6 links/s, 30 to 50 links/s"
        )
    low = _number(
        found["low"], found["low_scale"] or found["high_scale"] if found["high"] else found["low_scale"]
    )
    high = _number(found["high"], found["high_scale"]) if found["high"] else low
    if low > high:
        raise NotAQuantity(f"{text!r} goes from the larger to the smaller number; turn the two round")
    unit = " ".join((found["unit"] or "").split())
    if re.search(r"(?:\bto\b|–|-|\.\.)\s*\d", unit):
        raise NotAQuantity(f"{text!r} names its unit too early; write it once, at the end: {_once(text)}")
    _parsed_unit(unit)
    return Quantity(low, high, unit)


def _once(text: str) -> str:
    """The text with its unit at the end only, if both ends have the same one; else an example."""
    both = re.fullmatch(r"(.*\d)\s*([^\W\d]\S*)\s*(to|–|-|\.\.)\s*(\d.*?)\s*([^\W\d]\S*)", text.strip())
    if both is None or both[2] != both[5]:
        return "1 to 10,000 ms"
    return f"{both[1]} {both[3]} {both[4]} {both[5]}"


def conversion(unit: str, into: str) -> float:
    """What to multiply by. NotAQuantity if the two do not measure the same."""
    here, there = _parsed_unit(unit), _parsed_unit(into)
    if here.dimensionality != there.dimensionality:
        if not unit:
            raise NotAQuantity(f"the unit is missing: write {into} after the number")
        raise NotAQuantity(f"{unit} is not the same kind of thing as {into or 'a bare number'}")
    return float((1 * here).to(there).magnitude)


def digits(value: float) -> str:
    """`3,858`, `38.6`, `0.17`, `302 million`, `3.52 trillion`: three or four significant digits."""
    if value == 0:
        return "0"
    size = abs(value)
    for word, scale in (("trillion", 1e12), ("billion", 1e9), ("million", 1e6)):
        if 1e15 > size >= scale * (10 if word == "million" else 1):
            return f"{value / scale:.3g} {word}"
    if size >= 1e15 or size < 1e-3:
        return f"{value:.3g}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _number(text: str, scale: str | None) -> float:
    base, caret, power = text.partition("^")
    plain = re.sub(r"[,_' ]", "", base)
    value = float(plain)
    if caret:
        try:
            value = (
                float(int(value) ** int(power))
                if value == int(value) and value < 1000
                else value ** int(power)
            )
        except OverflowError:
            raise NotAQuantity(f"{text.strip()} is too large a number") from None
    value *= WORDS[scale.strip()] if scale and scale.strip() else 1.0
    if not math.isfinite(value):
        raise NotAQuantity(f"{text.strip()} is too large a number")
    return value


@cache
def _parsed_unit(unit: str) -> Any:
    text = unit.strip()
    if not text:
        return registry().Unit("")
    if not _UNIT.fullmatch(text):
        raise NotAQuantity(f"{text[:60]!r} is no unit; units here are such as links/s, GB, redirects/day, ms")
    spelled = re.sub(r"\bper\b", "/", text)
    spelled = re.sub(r"^/", "1/", spelled)
    for name in _NAME.findall(spelled):
        if name not in registry():
            raise NotAQuantity(
                f"{name!r} is no unit that is known here; such as s, day, month, year, B, kB, GB, TB, link, redirect,"
                " request, server, code, character, USD, %"
            )
    spelled = spelled.replace("%", "percent")
    try:
        return registry().Unit(re.sub(r"(?<=[A-Za-z]) +(?=[A-Za-z])", "*", spelled).replace("1/", "1 / "))
    except Exception as error:  # whatever a parser of units may raise for what it cannot read
        raise NotAQuantity(f"{text!r} cannot be read as a unit: write it such as links/s") from error
