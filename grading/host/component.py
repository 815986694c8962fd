"""From a module's text to instances, and between Python values and JSON, by the slot's neutral schema."""

from __future__ import annotations

import importlib
import linecache
import math
import sys
import types
from collections.abc import Callable
from typing import Any

from grading.host import where

Schema = dict[str, Any]


class Component:
    """A learner's module, as text and code, and the schema of the slot that it is to fill."""

    def __init__(self, source: str, schema: Schema) -> None:
        """SyntaxError (or ValueError: null bytes) if the text is no Python."""
        self.schema = schema
        self.name = where.filename
        lines = source.splitlines(keepends=True)
        linecache.cache[self.name] = (len(source), None, lines, self.name)
        self.code = compile(source, self.name, "exec", dont_inherit=True)
        self.types: dict[str, type] = {}
        for name, spec in schema["types"].items():
            module, _, attribute = spec["python"].partition(":")
            self.types[name] = getattr(importlib.import_module(module), attribute)

    def fresh_class(self) -> Any:
        """The class, from a module of its own: servers share no memory, so neither do instances."""
        module = types.ModuleType("component")
        module.__file__ = self.name
        sys.modules["component"] = module  # dataclasses look there
        exec(self.code, module.__dict__)
        name = self.schema["class"]
        found = module.__dict__.get(name)
        if not isinstance(found, type):
            raise TypeError(f"the component must define a class {name}")
        return found

    def from_json(self, value: Any, kind: str) -> Any:
        """A value of the type that the schema names; `?` at its end: or None."""
        if value is None:
            return None
        kind = kind.removesuffix("?")
        return self.types[kind](**value) if kind in self.types else value

    def to_json(self, value: Any, kind: str) -> Any:
        """What the component returned, for the judge. What is not of that type is told as `{"not": ...}`."""
        kind = kind.removesuffix("?")
        wanted = self.types.get(kind)
        if wanted is not None and isinstance(value, wanted):
            fields = self.schema["types"][kind]["fields"]
            return {name: plain(getattr(value, name, None)) for name in fields}
        return plain(value)


def plain(value: Any) -> Any:
    """JSON for scalars; for anything else a description that no schema takes for a value."""
    if value is None or type(value) in (bool, int, str):
        return (
            value if type(value) is not int or abs(value) < 2**63 else {"not": "int", "text": "a huge number"}
        )
    if type(value) is float:
        return value if math.isfinite(value) else {"not": "float", "text": str(value)}
    return {"not": type(value).__name__[:100], "text": describe(value)}


def describe(value: Any) -> str:
    """A short text for a report; never fails."""
    try:
        return repr(value)[:200]
    except Exception as error:
        return f"(its repr raised {type(error).__name__})"


def describe_error(error: BaseException) -> dict[str, Any]:
    """Type, its base classes by full name, message and the component's line."""
    try:
        message = (error.msg if isinstance(error, SyntaxError) else str(error))[:500]
    except Exception:
        message = "(its str raised)"
    bases = [f"{base.__module__}.{base.__qualname__}"[:200] for base in type(error).__mro__[:20]]
    return {
        "type": type(error).__name__[:100],
        "bases": bases,
        "message": message,
        "line": where.raised(error),
    }


def constructor_arguments(schema: Schema, resources: dict[str, Any]) -> dict[str, Any]:
    """The keywords that the slot promises, out of what this run has."""
    return {keyword: resources[resource] for keyword, resource in schema["construct"].items()}


def port(name: str, methods: dict[str, Any], call: Callable[[str, str, list[Any]], Any]) -> Any:
    """An object with the async methods of a port; each relays to the judge."""

    def method(method_name: str) -> Any:
        async def relayed(self: Any, *args: Any) -> Any:
            return await call(name, method_name, list(args))

        relayed.__name__ = method_name
        return relayed

    return type(name, (), {"__slots__": (), **{m: method(m) for m in methods}})()


__all__ = ["Component", "Schema", "constructor_arguments", "describe_error", "plain", "port"]
