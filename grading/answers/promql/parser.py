"""Tokens into syntax, by recursive descent: each method reads what binds more tightly than what called it."""

from __future__ import annotations

from collections.abc import Callable

from grading.answers.promql.lexer import BadExpression, Token, tokens
from grading.answers.promql.patterns import BadPattern, pattern
from grading.answers.promql.syntax import (
    COMPARISONS,
    SETS,
    Aggregate,
    Binary,
    Call,
    Expression,
    Matcher,
    Negative,
    Number,
    Selector,
    Type,
    type_of,
)
from grading.answers.promql.vocabulary import AGGREGATIONS, ALSO_AGGREGATIONS, ALSO_FUNCTIONS, FUNCTIONS

MAX_TEXT = 2_000
"""Characters of one expression."""
MAX_TOKENS = 300
MAX_DEPTH = 25
MAX_RANGE = 600.0
"""Seconds. The runs last two or three minutes."""

LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and", "unless"),
    COMPARISONS,
    ("+", "-"),
    ("*", "/", "%"),
)
"""Operators that bind equally, the loosest first. `^` binds most, and to the right."""


def parse(text: str) -> Expression:
    """BadExpression tells what is wrong, and where."""
    if len(text) > MAX_TEXT:
        raise BadExpression(0, f"an expression of {len(text):,} characters; {MAX_TEXT:,} must do")
    found_tokens = tokens(text)
    if len(found_tokens) > MAX_TOKENS:
        raise BadExpression(0, f"an expression of {len(found_tokens)} words and signs; {MAX_TOKENS} must do")
    parser = _Parser(found_tokens)
    found = parser.expression()
    parser.expect_end()
    if type_of(found) == "range vector":
        raise BadExpression(0, "this is a range of samples, of which nothing is asked: write such as rate(…)")
    return found


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.index = 0
        self.depth = 0

    # --- tokens

    @property
    def next(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        token = self.next
        self.index += token.kind != "end"
        return token

    def sees(self, *texts: str) -> bool:
        """Names are the same in capitals, as far as they are words of the language."""
        token = self.next
        return token.kind in ("sign", "name") and token.text.lower() in texts

    def takes(self, text: str) -> bool:
        seen = self.sees(text)
        self.index += seen
        return seen

    def expect(self, text: str, where: str) -> Token:
        if not self.sees(text):
            raise BadExpression(self.next.at, f"expected {text!r} {where}, not {self.next}")
        return self.take()

    def expect_end(self) -> None:
        if self.next.kind != "end":
            raise BadExpression(self.next.at, f"expected an operator or the end, not {self.next}")

    # --- operators

    def expression(self) -> Expression:
        return self.deeper(lambda: self.level(0))

    def deeper(self, read: Callable[[], Expression]) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadExpression(self.next.at, "it is nested too deeply")
        found = read()
        self.depth -= 1
        return found

    def level(self, number: int) -> Expression:
        if number == len(LEVELS):
            return self.signed()
        left = self.level(number + 1)
        while self.sees(*LEVELS[number]):
            operator = self.take()
            left = self.binary(left, operator, lambda: self.level(number + 1))
        if self.sees("atan2"):
            raise not_taken(self.next, "the operator atan2")
        return left

    def signed(self) -> Expression:
        """-a ^ b is -(a ^ b)."""
        if self.sees("-", "+"):
            sign = self.take()
            of = self.deeper(self.signed)
            if type_of(of) == "range vector":
                raise BadExpression(sign.at, "a range of samples has no sign")
            return Negative(sign.at, of) if sign.text == "-" else of
        return self.power()

    def power(self) -> Expression:
        base = self.primary()
        if not self.sees("^"):
            return base
        return self.binary(base, self.take(), lambda: self.deeper(self.signed))

    def binary(self, left: Expression, operator: Token, read_right: Callable[[], Expression]) -> Expression:
        name = operator.text.lower()
        as_bool = self.sees("bool") and self.takes("bool")
        if as_bool and name not in COMPARISONS:
            raise BadExpression(operator.at, f"bool goes with a comparison, not with {name}")
        on, matched = False, False
        labels: tuple[str, ...] = ()
        if self.sees("on", "ignoring"):
            on, matched = self.take().text.lower() == "on", True
            labels = self.labels()
        if self.sees("group_left", "group_right"):
            raise not_taken(
                self.next, f"{self.next.text} (many-to-one matching); sum one side by the same labels"
            )
        found = Binary(operator.at, name, left, read_right(), as_bool, labels, on)
        _check_types(found, matched)
        return found

    # --- what stands between operators

    def primary(self) -> Expression:
        token = self.next
        if self.takes("("):
            found = self.expression()
            self.expect(")", f"for the ( of column {token.at + 1}" if token.at else "for the first (")
            return self.after(found)
        if token.kind == "number":
            return Number(self.take().at, token.value)
        if token.kind == "duration":
            raise BadExpression(token.at, f"a time such as {token.text} stands in [ ] or after offset only")
        if token.kind == "string":
            raise BadExpression(
                token.at, 'a text is no value; texts stand in { } only, such as {status="503"}'
            )
        if token.kind == "name" or self.sees("{"):
            return self.after(self.named())
        raise BadExpression(token.at, f"expected a metric, a function, a number or ( here, not {token}")

    def named(self) -> Expression:
        token = self.next
        word, follows = (
            token.text.lower(),
            self.tokens[min(self.index + 1, len(self.tokens) - 1)].text.lower(),
        )
        if token.kind == "name":
            if word in ALSO_AGGREGATIONS and follows in ("(", "by", "without"):
                raise not_taken(token, f"the aggregation {word}")
            if word in AGGREGATIONS and follows in ("(", "by", "without"):
                return self.aggregate()
            if follows == "(":
                return self.call()
            if word in ("inf", "nan"):
                return Number(self.take().at, float(word))
            if word in (*SETS, "by", "without", "on", "ignoring", "bool", "offset"):
                raise BadExpression(
                    token.at, f"expected a metric, a function, a number or ( here, not {token}"
                )
        return self.selector()

    def selector(self) -> Selector:
        begin = self.next
        matchers: list[Matcher] = []
        if begin.kind == "name":
            matchers.append(Matcher("__name__", "=", self.take().text))
        if self.takes("{"):
            while not self.sees("}"):
                matchers.append(self.matcher())
                if not self.takes(","):
                    break
            self.expect("}", "after the matchers")
        if all(each("") for each in matchers):
            raise BadExpression(begin.at, "this means every series there is: name a metric")
        return Selector(begin.at, tuple(matchers))

    def matcher(self) -> Matcher:
        label = self.take()
        if label.kind != "name" or ":" in label.text:
            raise BadExpression(label.at, f"expected a label's name, not {label}")
        sign = self.take()
        if sign.text not in ("=", "!=", "=~", "!~"):
            raise BadExpression(sign.at, f"expected =, !=, =~ or !~ after {label.text}, not {sign}")
        value = self.take()
        if value.kind != "string":
            raise BadExpression(value.at, f"expected a text in quotes after {sign.text}, not {value}")
        try:
            compiled = pattern(value.text) if sign.text in ("=~", "!~") else None
        except BadPattern as error:
            raise BadExpression(value.at, f"the pattern {value.text[:40]!r}: {error}") from None
        return Matcher(label.text, sign.text, value.text, compiled)

    def after(self, found: Expression) -> Expression:
        """`[30s]` and `offset 30s`."""
        if self.sees("["):
            bracket = self.take()
            span = self.duration("in [ ]")
            if self.next.text.startswith(":"):
                raise not_taken(self.next, "a subquery ([a:b])")
            self.expect("]", "after the time")
            if not isinstance(found, Selector) or found.range is not None:
                raise BadExpression(
                    bracket.at, "[ ] goes with a metric only: first rate(metric[30s]), then the rest"
                )
            found = Selector(found.at, found.matchers, span, found.offset)
        if self.sees("offset"):
            word = self.take()
            if self.sees("-"):
                raise not_taken(self.next, "an offset into the future")
            if not isinstance(found, Selector):
                raise BadExpression(word.at, "offset goes with a metric only")
            found = Selector(found.at, found.matchers, found.range, self.duration("after offset"))
        if self.sees("@"):
            raise not_taken(self.next, "the modifier @")
        return found

    def duration(self, where: str) -> float:
        token = self.take()
        if token.kind != "duration":
            raise BadExpression(token.at, f"expected a time such as 30s or 1m {where}, not {token}")
        if not 1 <= token.value <= MAX_RANGE or token.value % 1:
            raise BadExpression(
                token.at,
                f"{token.text}: whole seconds are taken, from 1s to 10m; a run lasts two or three minutes",
            )
        return token.value

    # --- functions and aggregations

    def labels(self) -> tuple[str, ...]:
        self.expect("(", "before labels")
        found: list[str] = []
        while not self.sees(")"):
            token = self.take()
            if token.kind != "name" or ":" in token.text:
                raise BadExpression(token.at, f"expected a label's name, not {token}")
            found.append(token.text)
            if not self.takes(","):
                break
        self.expect(")", "after labels")
        return tuple(dict.fromkeys(found))

    def aggregate(self) -> Aggregate:
        operator = self.take()
        grouping = self.grouping()
        self.expect("(", f"after {operator.text}")
        of = self.expression()
        self.expect(")", f"at the end of {operator.text}(…)")
        grouping = grouping or self.grouping() or ("by", ())
        if type_of(of) != "instant vector":
            raise BadExpression(
                operator.at, f"{operator.text.lower()} takes an instant vector, not {_one(type_of(of))}"
            )
        return Aggregate(operator.at, operator.text.lower(), of, grouping[1], grouping[0] == "by")

    def grouping(self) -> tuple[str, tuple[str, ...]] | None:
        return (self.take().text.lower(), self.labels()) if self.sees("by", "without") else None

    def call(self) -> Call:
        token = self.take()
        if token.text in ALSO_FUNCTIONS:
            raise not_taken(token, f"the function {token.text}")
        if token.text not in FUNCTIONS:
            raise BadExpression(
                token.at, f"there is no function {token.text!r}; taken are {', '.join(FUNCTIONS)}"
            )
        wanted = FUNCTIONS[token.text]
        self.expect("(", f"after {token.text}")
        given: list[Expression] = []
        while not self.sees(")"):
            given.append(self.expression())
            if not self.takes(","):
                break
        self.expect(")", f"at the end of {token.text}(…)")
        _check_arguments(token, wanted, given)
        return Call(token.at, token.text, tuple(given))


def _check_arguments(token: Token, wanted: tuple[Type, ...], given: list[Expression]) -> None:
    if len(given) != len(wanted):
        raise BadExpression(token.at, f"{token.text} takes {len(wanted)} argument(s), not {len(given)}")
    for type, argument in zip(wanted, given, strict=True):
        if type_of(argument) != type:
            example = " such as metric[30s]" if type == "range vector" else ""
            raise BadExpression(
                argument.at,
                f"{token.text} takes {_one(type)}{example}, not {_one(type_of(argument))}",
            )


def _one(type: Type) -> str:
    return f"an {type}" if type == "instant vector" else f"a {type}"


def _check_types(found: Binary, matched: bool) -> None:
    types = type_of(found.left), type_of(found.right)
    if "range vector" in types:
        raise BadExpression(
            found.at, f"{found.operator} takes no range of samples: write such as rate(metric[30s])"
        )
    if "scalar" in types:
        if found.operator in SETS:
            raise BadExpression(found.at, f"{found.operator} goes between vectors, not numbers")
        if matched:
            raise BadExpression(found.at, "on and ignoring go between two vectors")
        if types == ("scalar", "scalar") and found.operator in COMPARISONS and not found.as_bool:
            raise BadExpression(found.at, "between two numbers a comparison needs bool, such as 1 > bool 0")


def not_taken(token: Token, what: str) -> BadExpression:
    return BadExpression(token.at, f"{what} is real PromQL, which this exercise does not take")
