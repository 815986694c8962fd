"""From a module's text to its class, by the slot's neutral schema; and the ports that its instances are given."""

from __future__ import annotations

import dataclasses
import functools
import linecache
import sys
import types
from collections.abc import Callable
from typing import Any

from grading.host import where
from grading.host.values import Values

Schema = dict[str, Any]


@functools.lru_cache(maxsize=512)
def _compiled(text: str) -> types.CodeType:
    return compile(text, "<string>", "exec", dont_inherit=True)


def _execute(text: str, names: dict[str, Any], found: dict[str, Any]) -> None:
    exec(_compiled(text), names, found)


# A dataclass writes its methods as text and compiles that, again in each fresh module: a quarter of a run's time.
dataclasses.exec = _execute  # type: ignore[attr-defined]


class Component:
    """A learner's module, as text and code, and the schema of the slot that it is to fill."""

    def __init__(self, source: str, schema: Schema) -> None:
        """SyntaxError (or ValueError: null bytes) if the text is no Python."""
        self.schema = schema
        self.name = where.filename
        lines = source.splitlines(keepends=True)
        linecache.cache[self.name] = (len(source), None, lines, self.name)
        self.code = compile(source, self.name, "exec", dont_inherit=True)
        self.values = Values(schema.get("types", {}))

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


__all__ = ["Component", "Schema", "constructor_arguments", "describe_error", "port"]
