"""A running case, as processes: start it, look at it, swap its components, break it, mend it.

Names are loaded when they are first used: the processes of a stack, which live in this package too, need none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.stack.client import Stack
    from workbench.stack.display import Status, TopologyView
    from workbench.stack.errors import ComponentError, StackError
    from workbench.stack.incident import Incident
    from workbench.stack.metrics import Metrics, Sample

__all__ = ["ComponentError", "Incident", "Metrics", "Sample", "Stack", "StackError", "Status", "TopologyView"]

_HOME = {
    "ComponentError": "errors",
    "Incident": "incident",
    "Metrics": "metrics",
    "Sample": "metrics",
    "Stack": "client",
    "StackError": "errors",
    "Status": "display",
    "TopologyView": "display",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.stack' has no attribute {name!r}")
    value = getattr(import_module(f"workbench.stack.{_HOME[name]}"), name)
    globals()[name] = value
    return value
