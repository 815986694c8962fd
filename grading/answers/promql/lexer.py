"""The text of an expression, cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "duration", "string", "name", "sign", "end"]

_SPACE = re.compile(r"(?:\s+|#[^\n]*)+")
_DURATION = re.compile(r"(?:\d{1,9}(?:ms|[smhdwy]))+(?![A-Za-z0-9_.])")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,12}|(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,3})?")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_SIGN = re.compile(r"==|!=|>=|<=|=~|!~|[-+*/%^(){}\[\],=<>@:]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


class BadExpression(ValueError):
    """It cannot be read, or is more than this exercise takes. `at`: the place in the text, from 0."""

    def __init__(self, at: int, says: str) -> None:
        super().__init__(says)
        self.at = at

    def told(self, text: str) -> str:
        """With line and column of the expression, both from 1."""
        before = text[: self.at]
        line, column = before.count("\n") + 1, self.at - (before.rfind("\n") + 1) + 1
        where = f"line {line}, column {column}" if "\n" in text.strip() else f"column {column}"
        return f"{where}: {self}"


@dataclass(frozen=True, slots=True)
class Token:
    """`text`: as written; of a string, what it stands for. `value`: of a number, or the seconds of a duration."""

    kind: Kind
    text: str
    at: int
    value: float = 0.0

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text[:40])


def tokens(text: str) -> list[Token]:
    """Ends with a token of kind `end`. BadExpression: a character that begins nothing, a string that does not end."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        token, at = _next(text, at)
        found.append(token)
    return [*found, Token("end", "", len(text))]


def _next(text: str, at: int) -> tuple[Token, int]:
    if text[at] in "\"'`":
        return _string(text, at)
    if match := _DURATION.match(text, at):
        seconds = sum(int(count) * SECONDS[unit] for count, unit in _PART.findall(match[0]))
        return Token("duration", match[0], at, seconds), match.end()
    if match := _NUMBER.match(text, at):
        if _NAME.match(text, match.end()):
            raise BadExpression(
                at, f"{text[at : match.end() + 8]!r} is neither a number nor a time such as 30s"
            )
        written = match[0]
        return Token("number", written, at, _number(written)), match.end()
    if match := _NAME.match(text, at):
        return Token("name", match[0], at), match.end()
    if match := _SIGN.match(text, at):
        return Token("sign", match[0], at), match.end()
    raise BadExpression(at, f"{text[at]!r} begins nothing that PromQL knows")


def _number(written: str) -> float:
    return float(int(written, 16)) if written[:2] in ("0x", "0X") else float(written)


def _string(text: str, begin: int) -> tuple[Token, int]:
    """Between backticks nothing is special."""
    quote, at, said = text[begin], begin + 1, ""
    while at < len(text) and text[at] != quote and (quote == "`" or text[at] != "\n"):
        if text[at] == "\\" and quote != "`":
            escaped = text[at + 1 : at + 2]
            if escaped not in _ESCAPES:
                raise BadExpression(at, f"\\{escaped} is no escape in a string; a backslash itself is \\\\")
            said, at = said + _ESCAPES[escaped], at + 2
        else:
            said, at = said + text[at], at + 1
    if at >= len(text) or text[at] != quote:
        raise BadExpression(begin, f"a string that begins with {quote} and does not end")
    return Token("string", said, begin), at + 1
