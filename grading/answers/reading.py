"""The text of an `%%answer` cell as TOML, with the line of each key, so that a message can name it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

_KEY = re.compile(r"""\s*(?P<key>[A-Za-z0-9_-]+|"[^"]*"|'[^']*')\s*=""")
_HEADER = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]\s*(?:#.*)?")
_AT = re.compile(r" ?\(at line (?P<line>\d+), column \d+\)")


class Unreadable(ValueError):
    """The answer is no TOML; the message says where."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`values`: what was written, by name; of a table `[name]`, a dict. `lines`: name, or `table.name`, to line."""

    values: dict[str, Any]
    lines: dict[str, int]

    def at(self, name: str) -> str:
        """`line 3`; empty if the name was not written."""
        return f"line {self.lines[name]}" if name in self.lines else ""


def read(text: str) -> Answered:
    """`text`: of the cell; its first line is empty and stands for the `%%answer` line. Unreadable says what to mend."""
    try:
        values = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(_told(str(error), text)) from None
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except ValueError:  # of int(), for thousands of digits
        raise Unreadable("a number in it is too long") from None
    return Answered(values, _lines(text))


def _lines(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line):
            table = header["name"].strip() + "."
            found.setdefault(table[:-1], number)
        elif key := _KEY.match(line):
            found.setdefault(table + key["key"].strip("\"'"), number)
    return found


def _told(message: str, text: str) -> str:
    """tomllib's message with the cell's own line number, and that line."""
    at = _AT.search(message)
    if at is None:
        return f"{message.rstrip('.')}: it ends too early, perhaps a quotation mark is missing"
    line = int(at["line"])
    lines = text.split("\n")
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    so = 'Write a name, = and a value in quotes, such as name = "38.6 links/s"'
    return f"line {line} cannot be read: {shown!r} ({_AT.sub('', message)}). {so}"
