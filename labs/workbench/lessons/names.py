"""Names that a listing uses and nobody defines: found without running it."""

from __future__ import annotations

import builtins
import linecache
import symtable
from collections.abc import Iterator


def undefined_names(source: str) -> list[str]:
    """The names that a module with this text needs from nowhere: neither defined, nor imported, nor built in.

    Python itself looks a name up only when the line runs, so such a module compiles, imports and starts. Does not
    see: attributes, names that `from x import *` brings, and names used before their definition. SyntaxError: it is
    no module.
    """
    module = symtable.symtable(source, "<listing>", "exec")
    known = {
        symbol.get_name() for symbol in module.get_symbols() if symbol.is_assigned() or symbol.is_imported()
    }
    known |= {symbol.get_name() for symbol in module.get_symbols() if symbol.is_namespace()}
    known |= {name for scope in scopes(module) for name in declared_global(scope)}
    known |= set(dir(builtins)) | {"__name__", "__file__", "__doc__"}
    used = {
        symbol.get_name()
        for scope in scopes(module)
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or scope is module)
    }
    return sorted(used - known)


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """This scope, and all within it."""
    yield table
    for child in table.get_children():
        yield from scopes(child)


def declared_global(scope: symtable.SymbolTable) -> Iterator[str]:
    """What a function assigns after `global NAME`."""
    for symbol in scope.get_symbols():
        if symbol.is_declared_global() and symbol.is_assigned():
            yield symbol.get_name()


def cell_of(thing: type) -> str:
    """The text of the cell, or of the file, that defined a class with at least one method."""
    method = next(value for value in vars(thing).values() if hasattr(value, "__code__"))
    return "".join(linecache.getlines(method.__code__.co_filename))
