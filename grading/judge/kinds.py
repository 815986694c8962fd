"""What a component's values may be, by the kinds that the slot's schema names (`grading.host.values` lists them).

The host has seen to that already; but the component lives in the host's process, and may have tampered with it. So
what the judge computes with is what these functions let through: no number too large for a float, no text that no
encoding can write, nothing that is nested where nothing is asked for.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

from grading.judge.protocol import clean

INTEGER_BITS = 1024
Types = Mapping[str, Any]
"""Of the schema: name -> {fields = {name = kind}}"""


def fits(value: Any, kind: str, types: Types) -> bool:
    """Whether JSON from the host is of the kind."""
    head, parts = parse(kind)
    if value is None:
        return head in ("none", "any") or kind.endswith("?")
    if head in types:
        fields = types[head]["fields"]
        return (
            isinstance(value, dict)
            and value.keys() == fields.keys()
            and all(fits(value[name], fields[name], types) for name in fields)
        )
    if head in ("list", "set"):
        return isinstance(value, list) and all(fits(each, parts[0], types) for each in value)
    if head == "map":
        return isinstance(value, list) and all(
            isinstance(pair, list) and len(pair) == 2 and all(map(fits, pair, parts, (types, types)))
            for pair in value
        )
    if head == "str":
        return type(value) is str and writable(value)
    if head == "bytes":
        return type(value) is str and (value.isascii() or max(value) <= "\xff")
    if head == "bool":
        return type(value) is bool
    if head == "int":
        return type(value) is int and value.bit_length() <= INTEGER_BITS
    if head == "float":
        return type(value) is float and math.isfinite(value)
    if head == "real":
        return value in ("nan", "inf", "-inf") if type(value) is str else fits(value, "float", types)
    return bool(value == scalar(value))


def believed(value: Any, kind: str, types: Types) -> Any:
    """What a method returned: as it is if it is of the kind, or at least harmless; else a description of it."""
    if fits(value, kind, types):
        return value
    head, _ = parse(kind)
    if head in types and isinstance(value, dict) and value.keys() == types[head]["fields"].keys():
        fields = types[head]["fields"]
        return {name: believed(value[name], fields[name], types) for name in fields}
    return scalar(value)


def scalar(value: Any) -> Any:
    """The value, if it is a text, a number, True, False or None; else what `grading.host.values.plain` makes of it."""
    if value is None or type(value) is bool:
        return value
    if type(value) is str:
        return value if writable(value) else {"not": "str", "text": ascii(value)[:200]}
    if type(value) is int:
        return value if fits(value, "int", {}) else {"not": "int", "text": "a huge number"}
    if type(value) is float:
        return value if math.isfinite(value) else {"not": "float", "text": str(value)}
    if isinstance(value, dict) and value.keys() == {"not", "text"}:
        return {"not": clean(str(value["not"])[:100]), "text": clean(str(value["text"])[:200])}
    name = type(value).__name__
    return {"not": name, "text": f"a {name} where none is asked for"}


def writable(text: str) -> bool:
    """Whether it has no half characters (lone surrogates)."""
    return text.isascii() or not any("\ud800" <= symbol <= "\udfff" for symbol in text)


@functools.cache
def parse(kind: str) -> tuple[str, tuple[str, ...]]:
    """`"map[str,list[int]]?"` is ("map", ("str", "list[int]"))."""
    head, bracket, rest = kind.removesuffix("?").partition("[")
    if not bracket:
        return head, ()
    inner, parts, depth = rest[: rest.rindex("]")], [""], 0
    for symbol in inner:
        depth += (symbol == "[") - (symbol == "]")
        if symbol == "," and not depth:
            parts.append("")
        else:
            parts[-1] += symbol
    return head, tuple(part.strip() for part in parts)
