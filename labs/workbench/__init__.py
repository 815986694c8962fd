"""The library that notebooks import: `from workbench import Stack, check, load, predict`.

Names are loaded when they are first used, so that the import itself costs next to nothing. In a notebook it also
registers the `%%component` magic.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.capstone.notebook import run_capstone
    from workbench.loadgen.load import load
    from workbench.notebook.chart import chart
    from workbench.notebook.check import check
    from workbench.notebook.component import Component
    from workbench.notebook.experiment import Outcome, experiment, predict
    from workbench.notebook.journal import Journal
    from workbench.notebook.links import create_links
    from workbench.notebook.requirements import requirements
    from workbench.popularity import Zipf
    from workbench.stack import ComponentError, Stack, StackError

__all__ = [
    "Component",
    "ComponentError",
    "Journal",
    "Outcome",
    "Stack",
    "StackError",
    "Zipf",
    "chart",
    "check",
    "create_links",
    "experiment",
    "load",
    "predict",
    "requirements",
    "run_capstone",
]

_HOME = {
    "Component": "workbench.notebook.component",
    "ComponentError": "workbench.stack",
    "Journal": "workbench.notebook.journal",
    "Outcome": "workbench.notebook.experiment",
    "Stack": "workbench.stack",
    "StackError": "workbench.stack",
    "Zipf": "workbench.popularity",
    "chart": "workbench.notebook.chart",
    "check": "workbench.notebook.check",
    "create_links": "workbench.notebook.links",
    "experiment": "workbench.notebook.experiment",
    "load": "workbench.loadgen.load",
    "predict": "workbench.notebook.experiment",
    "requirements": "workbench.notebook.requirements",
    "run_capstone": "workbench.capstone.notebook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext workbench`: registers `%%component`."""
    from workbench.notebook.magics import register

    register(shell)


def _register_in_a_running_shell() -> None:
    if "IPython" in sys.modules:  # else there is no shell, and no need to load IPython to find that out
        shell = sys.modules["IPython"].get_ipython()
        if shell is not None:
            load_ipython_extension(shell)


_register_in_a_running_shell()
