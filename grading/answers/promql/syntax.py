"""What an expression is made of. `at`: where it begins in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grading.answers.promql.patterns import Pattern

Type = Literal["scalar", "instant vector", "range vector"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """`sign`: =, !=, =~ or !~. `pattern`: of the two that take a regular expression."""

    label: str
    sign: str
    value: str
    pattern: Pattern | None = None

    def __call__(self, value: str) -> bool:
        """Whether a label with this value is meant; a label that is not there has the value ""."""
        same = self.pattern.matches(value) if self.pattern is not None else value == self.value
        return same == (self.sign in ("=", "=~"))


@dataclass(frozen=True, slots=True)
class Number:
    at: int
    value: float


@dataclass(frozen=True, slots=True)
class Selector:
    """`range`: seconds; None: an instant vector. `offset`: seconds back."""

    at: int
    matchers: tuple[Matcher, ...]
    range: float | None = None
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    at: int
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`by`: whether `labels` are those that are kept, or those that are dropped."""

    at: int
    operator: str
    of: Expression
    labels: tuple[str, ...] = ()
    by: bool = True


@dataclass(frozen=True, slots=True)
class Negative:
    at: int
    of: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """`as_bool`: a comparison that says 0 or 1, where others keep what they are true of. `labels`: those after `on`,
    or, if not `on`, those after `ignoring`."""

    at: int
    operator: str
    left: Expression
    right: Expression
    as_bool: bool = False
    labels: tuple[str, ...] = ()
    on: bool = False


Expression = Number | Selector | Call | Aggregate | Negative | Binary

COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
SETS = ("and", "or", "unless")
RETURNS_SCALAR = ("scalar",)


def type_of(found: Expression) -> Type:
    match found:
        case Number():
            return "scalar"
        case Selector():
            return "instant vector" if found.range is None else "range vector"
        case Call():
            return "scalar" if found.name in RETURNS_SCALAR else "instant vector"
        case Negative():
            return type_of(found.of)
        case Binary():
            both = {type_of(found.left), type_of(found.right)}
            return "scalar" if both == {"scalar"} else "instant vector"
    return "instant vector"
