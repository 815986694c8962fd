"""`await check(component)`: has the judge decide, in a process of its own, and shows its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.learner import check_seeds
from workbench.notebook.answer import Answer
from workbench.notebook.component import Component
from workbench.notebook.counting import counting
from workbench.notebook.status import StatusLine

if TYPE_CHECKING:
    from workbench.notebook.verdict import CheckedVerdict


class JudgeError(Exception):
    """The judge itself failed: a fault of the workbench or of the machine, never of the component."""


async def check(
    component: Component | Answer, *, seeds: str | None = None, requirement: str | None = None
) -> CheckedVerdict:
    """The judge's verdict on `component`, requirement by requirement. In a notebook: `await check(redirect_cache)`.
    Of an answer likewise: `await check(estimates)`; it is data, so nothing has to run.

    There what failed can be stepped through, beside the cell's own lines, and hints can be asked for.
    `seeds`: such as "1-20"; public ones and the learner's own, if not given. `requirement`: only that one. Nothing of
    the component runs in this process. Raises JudgeError if there is no verdict; cancelling (the notebook's stop
    button) ends the judge.
    """
    if isinstance(component, Answer):
        from grading.answers import judge_answer
        from workbench.notebook.verdict import CheckedVerdict

        return CheckedVerdict.of(judge_answer(component.id, component.text), component.text)
    if not isinstance(component, Component):
        raise TypeError(
            "check takes what a %%component or %%answer cell left behind, such as: await check(redirect_cache)"
        )
    module = ["grading.judge", component.slot, "-", "--json", "--halves", "--seeds", seeds or check_seeds()]
    module += ["--requirement", requirement] if requirement else []
    status = StatusLine(f"Judging {component.slot} …")
    output = await counting(status, f"Judging {component.slot}", module, component.source)
    if not output.usable:
        status.update("The judge failed.")
        raise JudgeError(f"the judge failed: {output.why_not}")
    from grading.judge.report import Verdict
    from workbench.notebook.verdict import CheckedVerdict

    verdict = CheckedVerdict.of(Verdict.from_json(output.text), component.source)
    status.update(f"Judged {component.slot} in {output.seconds:.1f} s.")
    return verdict
