"""Drives a component and decides. Imports neither a component nor the reference: its oracle is its own.

from grading.judge import judge
verdict = judge("url-shortener/redirect-cache", source, seeds=[1, 2, 3])
print(verdict.text())
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from grading.judge.report import Finding, RequirementVerdict, Verdict


def judge(
    slot: str,
    source: str,
    seeds: Sequence[int] | None = None,
    *,
    isolation: Literal["auto", "bubblewrap", "none"] = "auto",
    only: Sequence[str] = (),
    halves: bool = False,
) -> Verdict:
    """The verdict on the text of a component. `seeds` None: the public ones. `only`: ids of requirements; else all.
    `halves`: by two processes, for somebody who waits; the verdict is the same.

    Starts child processes, and blocks until it is judged; always returns. ValueError: no such slot or requirement.
    """
    from grading import checks  # the checks import this package
    from grading.judge import engine, side_by_side

    suite = checks.suite(slot)
    unknown = set(only) - {each.id for each in suite.requirements}
    if unknown:
        raise ValueError(f"{slot} has no requirement {', '.join(sorted(unknown))}")
    if seeds is None:
        seeds = checks.PUBLIC_SEEDS
    requirements = [each for each in suite.requirements if not only or each.id in only]
    if halves and len(requirements) > 1:
        parts = side_by_side.judge_halves(suite, source, seeds, requirements, isolation)
    else:
        parts = [engine.judge_part(suite, source, seeds, requirements, isolation=isolation)]
    return engine.verdict(suite, seeds, requirements, parts)


__all__ = ["Finding", "RequirementVerdict", "Verdict", "judge"]
