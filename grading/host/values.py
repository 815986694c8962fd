"""Between Python values and JSON, by the kinds that a slot's neutral schema names.

A kind is `str`, `int`, `float`, `real`, `bool`, `none`, `bytes`, `range`, `any`, the name of a type of the schema, or
made of others: `list[K]`, `set[K]`, `map[K,V]`; `K?` is K or None. A `real` is a float that need not be finite. In
JSON bytes are text of as many characters, a range is its two ends, a map is a list of pairs, and a real that is not
finite is "nan", "inf" or "-inf".
"""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

INTEGER_BITS = 1024
ITEMS = 20_000
"""Of one list, set or map that a component hands over."""

ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
"""In the text of an object: another one in each process, where reports are to be the same."""

HALF = re.compile("[\ud800-\udfff]")
"""Half a character: no encoding can write it."""

SCALARS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "bytes": bytes}


class Mismatch(TypeError):
    """A value is not of the kind that the schema names."""


class Values:
    """Encodes and decodes by one schema."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        """`types`: name -> {python = "module:Class", fields = {name = kind}}"""
        self.fields: dict[str, dict[str, str]] = {name: spec["fields"] for name, spec in types.items()}
        self.classes = {name: named(spec["python"]) for name, spec in types.items()}

    def decode(self, value: Any, kind: str) -> Any:
        """What the judge sent, which is of that kind."""
        if value is None or kind in ("str", "int", "bool"):
            return value
        head, parts = parse(kind)
        if head in self.classes:
            fields = self.fields[head]
            return self.classes[head](**{name: self.decode(value[name], fields[name]) for name in value})
        if head == "list":
            return [self.decode(each, parts[0]) for each in value]
        if head == "set":
            return {self.decode(each, parts[0]) for each in value}
        if head == "map":
            return {self.decode(key, parts[0]): self.decode(each, parts[1]) for key, each in value}
        if head == "bytes":
            return value.encode("latin-1")
        if head == "range":
            return range(*value)
        return float(value) if head in ("float", "real") else value

    def encode(self, value: Any, kind: str) -> Any:
        """What a component handed over. Mismatch if it is of another kind."""
        head, parts = parse(kind)
        if value is None and (head in ("none", "any") or kind.endswith("?")):
            return None
        if head in self.classes:
            return self._encode_fields(value, head)
        if head in ("list", "set") and isinstance(value, Iterable) and not isinstance(value, str | bytes):
            return [self.encode(each, parts[0]) for each in _limited(value)]
        if head == "map" and isinstance(value, Mapping):
            pairs = _limited(value.items())
            return [[self.encode(key, parts[0]), self.encode(each, parts[1])] for key, each in pairs]
        if head == "any":
            return plain(value)
        if head == "float" and type(value) is int:
            value = float(value)
        if head == "real" and type(value) in (int, float):
            return float(value) if math.isfinite(value) else str(value)
        if head in SCALARS and type(value) is SCALARS[head] and not _unspeakable(value):
            return value.decode("latin-1") if isinstance(value, bytes) else value
        raise Mismatch(f"{kind} is wanted here, not {type(value).__name__[:100]}: {describe(value)[:80]}")

    def _encode_fields(self, value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, self.classes[name]):
            raise Mismatch(f"{name} is wanted here, not {type(value).__name__[:100]}: {describe(value)[:80]}")
        return {field: self.encode(getattr(value, field), kind) for field, kind in self.fields[name].items()}

    def told(self, value: Any, kind: str) -> Any:
        """What a method returned, for the judge; what is of another kind is told as `{"not": ...}`. Never raises."""
        head, _ = parse(kind)
        wanted = self.classes.get(head)
        if wanted is not None and isinstance(value, wanted):
            return {name: plain(getattr(value, name, None)) for name in self.fields[head]}
        try:
            return self.encode(value, kind if kind.endswith("?") else f"{kind}?")
        except Exception:
            return plain(value)


@functools.cache
def parse(kind: str) -> tuple[str, list[str]]:
    """`"map[str,list[int]]?"` is ("map", ["str", "list[int]"])."""
    head, bracket, rest = kind.removesuffix("?").partition("[")
    if not bracket:
        return head, []
    inner, parts, depth = rest[: rest.rindex("]")], [""], 0
    for symbol in inner:
        depth += (symbol == "[") - (symbol == "]")
        if symbol == "," and not depth:
            parts.append("")
        else:
            parts[-1] += symbol
    return head, parts


def named(path: str) -> Any:
    """The object at "module:name"."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _limited(items: Iterable[Any]) -> Sequence[Any]:
    found = []
    for each in items:
        found.append(each)
        if len(found) > ITEMS:
            raise Mismatch(f"more than {ITEMS} items at once")
    return found


def _unspeakable(value: Any) -> bool:
    """Whether JSON, or the judge, has no place for it."""
    if type(value) is int:
        return value.bit_length() > INTEGER_BITS
    if type(value) is str:
        return not value.isascii() and HALF.search(value) is not None
    return type(value) is float and not math.isfinite(value)


def plain(value: Any) -> Any:
    """JSON for scalars; for anything else a description that no schema takes for a value."""
    if value is None or type(value) is bool or (type(value) in (int, str) and not _unspeakable(value)):
        return value
    if type(value) is str:
        return {"not": "str", "text": ascii(value)[:200]}
    if type(value) is int:
        return {"not": "int", "text": "a huge number"}
    if type(value) is float:
        return value if math.isfinite(value) else {"not": "float", "text": str(value)}
    return {"not": type(value).__name__[:100], "text": describe(value)}


def describe(value: Any) -> str:
    """A short text for a report; never fails."""
    try:
        return ADDRESS.sub("", repr(value)[:1000])[:200]
    except Exception as error:
        return f"(its repr raised {type(error).__name__})"
