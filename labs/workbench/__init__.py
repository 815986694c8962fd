"""The library that notebooks import: `from workbench import Stack, check, load, predict`.

Names are loaded when they are first used, so that the import itself costs next to nothing. In a notebook it also
registers the `%%component` and `%%answer` magics.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.canary import roll_out
    from workbench.capacity import calibrate
    from workbench.capstone.notebook import run_capstone
    from workbench.chaos.show import journeys
    from workbench.loadgen.load import load
    from workbench.notebook.against import against
    from workbench.notebook.answer import Answer, answered
    from workbench.notebook.chart import chart
    from workbench.notebook.check import check
    from workbench.notebook.component import Component, recalled
    from workbench.notebook.dashboard import dashboard
    from workbench.notebook.design import design
    from workbench.notebook.estimate import Estimate, estimate
    from workbench.notebook.experiment import Outcome, experiment, predict
    from workbench.notebook.forecast import score
    from workbench.notebook.journal import Journal
    from workbench.notebook.links import create_links
    from workbench.notebook.recorded import recorded
    from workbench.notebook.requirements import requirements
    from workbench.popularity import Zipf
    from workbench.promises.hold import hold
    from workbench.stack import ComponentError, Stack, StackError
    from workbench.tracing.ask import trace, trace_of
    from workbench.tracing.questions import questions

__all__ = [
    "Answer",
    "Component",
    "ComponentError",
    "Estimate",
    "Journal",
    "Outcome",
    "Stack",
    "StackError",
    "Zipf",
    "against",
    "answered",
    "calibrate",
    "chart",
    "check",
    "create_links",
    "dashboard",
    "design",
    "estimate",
    "experiment",
    "hold",
    "journeys",
    "load",
    "predict",
    "questions",
    "recalled",
    "recorded",
    "requirements",
    "roll_out",
    "run_capstone",
    "score",
    "trace",
    "trace_of",
]

_HOME = {
    "Answer": "workbench.notebook.answer",
    "Component": "workbench.notebook.component",
    "ComponentError": "workbench.stack",
    "Estimate": "workbench.notebook.estimate",
    "Journal": "workbench.notebook.journal",
    "Outcome": "workbench.notebook.experiment",
    "Stack": "workbench.stack",
    "StackError": "workbench.stack",
    "Zipf": "workbench.popularity",
    "against": "workbench.notebook.against",
    "answered": "workbench.notebook.answer",
    "calibrate": "workbench.capacity",
    "chart": "workbench.notebook.chart",
    "check": "workbench.notebook.check",
    "create_links": "workbench.notebook.links",
    "dashboard": "workbench.notebook.dashboard",
    "design": "workbench.notebook.design",
    "estimate": "workbench.notebook.estimate",
    "experiment": "workbench.notebook.experiment",
    "hold": "workbench.promises.hold",
    "journeys": "workbench.chaos.show",
    "load": "workbench.loadgen.load",
    "predict": "workbench.notebook.experiment",
    "questions": "workbench.tracing.questions",
    "recalled": "workbench.notebook.component",
    "recorded": "workbench.notebook.recorded",
    "requirements": "workbench.notebook.requirements",
    "roll_out": "workbench.canary",
    "run_capstone": "workbench.capstone.notebook",
    "score": "workbench.notebook.forecast",
    "trace": "workbench.tracing.ask",
    "trace_of": "workbench.tracing.ask",
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
    """`%load_ext workbench`: registers `%%component` and `%%answer`."""
    from workbench.notebook.magics import register

    register(shell)


def _register_in_a_running_shell() -> None:
    if "IPython" in sys.modules:  # else there is no shell, and no need to load IPython to find that out
        shell = sys.modules["IPython"].get_ipython()
        if shell is not None:
            load_ipython_extension(shell)


_register_in_a_running_shell()
