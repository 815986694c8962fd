"""`await run_capstone(component)`: the capstone from a notebook, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.capstone.command import SECONDS
from workbench.notebook.component import Component
from workbench.notebook.counting import counting
from workbench.notebook.status import StatusLine

if TYPE_CHECKING:
    from workbench.capstone.verdict import CapstoneVerdict


class CapstoneError(Exception):
    """There is no verdict: a fault of the workbench or of the machine, never of the component."""


async def run_capstone(
    component: Component, *, profile: str = "embedded", seed: int = 1, seconds: float = SECONDS
) -> CapstoneVerdict:
    """The verdict on `component` in the whole running service. In a notebook: `await run_capstone(redirect_cache)`.

    Starts a stack of its own, beside any that runs, and takes `seconds` and about 15 s more. `seed`: of what is
    asked and what breaks. Raises CapstoneError if there is no verdict; cancelling (the stop button) ends the stack.
    """
    if not isinstance(component, Component):
        raise TypeError(
            "run_capstone takes what a %%component cell left behind: await run_capstone(redirect_cache)"
        )
    module = ["workbench.cli", "capstone", "-", "--slot", component.slot, "--json"]
    module += ["--profile", profile, "--seed", str(seed), "--seconds", str(seconds)]
    status = StatusLine(f"{component.slot} goes into service …")
    output = await counting(
        status, f"{component.slot} is in service, under load and faults", module, component.source
    )
    if not output.usable:
        status.update("The capstone failed.")
        raise CapstoneError(output.why_not)
    from workbench.capstone.verdict import CapstoneVerdict

    status.update(f"{component.slot} was in service for {output.seconds:.0f} s.")
    return CapstoneVerdict.from_json(output.text)  # type: ignore[return-value]
