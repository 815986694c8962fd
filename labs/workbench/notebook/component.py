"""A learner's component: the text of one cell, as a module."""

from __future__ import annotations

import ast
import linecache
import re
import sys
import types
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from workbench.notebook import kept

FILE = "components.json"
SLOT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")
PREFIX = "workbench_components."


class ComponentCellError(Exception):
    """The cell is not a component; the message says what to change, and on which line."""


@dataclass(frozen=True, slots=True)
class Component:
    """What `%%component SLOT` leaves in the notebook, under the slot's name (`redirect_cache`).

    `source`: the module's text, which is what gets swapped in and judged. Its first line is empty and stands for the
    `%%component` line, so that line 7 of the source is line 7 of the cell. `cls`: the class, to try out by hand.
    """

    slot: str
    source: str
    module: types.ModuleType = field(repr=False, compare=False)
    cls: type[Any] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """As a variable: `redirect_cache`."""
        return variable(self.slot)

    @property
    def lines(self) -> int:
        """Lines that hold code."""
        return sum(
            bool(line.strip()) and not line.lstrip().startswith("#") for line in self.source.splitlines()
        )

    def __call__(self, **ports: Any) -> Any:
        """An instance of the class, for tinkering: give it the ports that the slot's contract names."""
        return self.cls(**ports)

    def __str__(self) -> str:
        return f"{self.name} = your component for {self.slot} ({self.lines} lines of code)"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        slot, name = escape(self.slot), escape(self.name)
        html = f"<p><code>{name}</code> is now your component for <code>{slot}</code> ({self.lines} lines of code).</p>"
        return {"text/plain": str(self), "text/html": html}


def variable(slot: str) -> str:
    """`redirect_cache` for `url-shortener/redirect-cache`."""
    return slot.rpartition("/")[2].replace("-", "_")


def file_name(slot: str) -> str:
    """What tracebacks call the cell."""
    return f"<component {slot}>"


def class_name(slot: str) -> str:
    """`RedirectCache` for `url-shortener/redirect-cache`."""
    return "".join(word.capitalize() for word in slot.rpartition("/")[2].split("-"))


def define(slot: str, cell: str) -> Component:
    """Makes a component of a cell's text, the `%%component` line left out.

    Runs the module. Its errors are its own (a SyntaxError, a NameError at import): they carry the cell's line.
    Raises ComponentCellError where the slot's name is malformed or the class is missing.
    """
    if not SLOT.fullmatch(slot):
        raise ComponentCellError(
            f"{slot!r} is no slot. The first line reads: %%component url-shortener/redirect-cache"
        )
    source = "\n" + cell
    filename = file_name(slot)
    # The entry lets tracebacks and inspect.getsource show the cell's lines. mtime None: never checked against a file.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    tree = ast.parse(source, filename)
    name = PREFIX + slot.replace("/", ".").replace("-", "_")
    module = types.ModuleType(name)
    module.__file__ = filename
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and inspect look a class's module up there
    try:
        exec(compile(tree, filename, "exec", dont_inherit=True), module.__dict__)
        wanted = class_name(slot)
        cls = getattr(module, wanted, None)
        if not isinstance(cls, type):
            raise ComponentCellError(f"the cell must define a class named {wanted}{_instead(tree)}")
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise
    return Component(slot, source, module, cls)


def _instead(tree: ast.Module) -> str:
    found = [f"{node.name} (line {node.lineno})" for node in tree.body if isinstance(node, ast.ClassDef)]
    return f"; it defines {', '.join(found)}" if found else "; it defines no class"


def keep(component: Component, folder: Path | None = None) -> None:
    """Into `components.json` beside the notebook, for the notebooks that come later."""
    kept.keep(FILE, component.slot, component.source, folder)


def recalled(slot: str, folder: Path | None = None) -> Component | None:
    """The component that an earlier notebook's cell left for `slot`; None: there is none.

    Its module runs again, so its errors may come again, too."""
    source = kept.kept(FILE, slot, folder)
    return None if source is None else define(slot, source.removeprefix("\n"))
