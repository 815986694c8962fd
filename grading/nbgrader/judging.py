"""Has the judge decide a component: a process of its own, with a limit on wall time as the last resort.

A subprocess, since nbgrader's formgrader runs the very same steps inside the server's event loop, and since nothing
that a learner wrote may come near the process that writes marks.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grading.judge.report import Verdict
from grading.nbgrader.lift import Component

COMMAND = (sys.executable, "-I", "-m", "grading.judge")
WALL_LIMIT = 120.0
"""Seconds. The judge counts work and ends loops itself, in a fraction of this."""


class JudgeFailed(Exception):
    """The judge gave no verdict. No learner is marked down for that: a person has to look."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks the judge. `ahead`: a folder of verdicts that were decided before (see `judge_ahead`), or None."""

    seeds: str
    command: Sequence[str] = COMMAND
    wall_limit: float = WALL_LIMIT
    ahead: Path | None = None

    def verdict(self, component: Component) -> Verdict:
        """Raises JudgeFailed if there is none, after a second try."""
        if self.ahead is not None and (kept := self.ahead / self._name(component)).exists():
            return _parsed(kept.read_text("utf-8"), component)
        try:
            return _parsed(self._ask(component), component)
        except JudgeFailed:
            return _parsed(self._ask(component), component)

    def ahead_into(self, component: Component, folder: Path) -> None:
        """Decides it, for `verdict` to find in `folder`. A failure is left for `verdict` to meet."""
        try:
            text = self._ask(component)
            _parsed(text, component)
        except JudgeFailed:
            return
        (folder / self._name(component)).write_text(text, "utf-8")

    def _name(self, component: Component) -> str:
        asked = f"{component.slot}\n{self.seeds}\n{component.source}"
        return hashlib.sha256(asked.encode()).hexdigest() + ".json"

    def _ask(self, component: Component) -> str:
        command = [*self.command, component.slot, "-", "--json", "--seeds", self.seeds]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(component.source.encode("utf-8"), timeout=self.wall_limit)
            except subprocess.TimeoutExpired:
                _kill(process)
                raise JudgeFailed(f"no verdict within {self.wall_limit:g} s") from None
            except BaseException:
                _kill(process)
                raise
        if process.returncode not in (0, 1):
            said = err.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise JudgeFailed(f"the judge ended with {process.returncode}: {' '.join(said)}")
        return out.decode("utf-8", "replace")


def judge_ahead(asked: Iterable[tuple[Judge, Component]], folder: Path, workers: int | None = None) -> None:
    """Decides several at once, each by its judge, and the same for the same seeds once."""
    distinct = {(judge.seeds, component): judge for judge, component in asked}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        list(pool.map(lambda each: each[1].ahead_into(each[0][1], folder), distinct.items()))


def _parsed(text: str, component: Component) -> Verdict:
    try:
        verdict = Verdict.from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JudgeFailed(f"the judge's answer cannot be read: {error}") from None
    if verdict.slot != component.slot or not 0 <= verdict.points <= verdict.max_points:
        raise JudgeFailed(f"the judge answered for {verdict.slot}: {verdict.points} of {verdict.max_points}")
    if verdict.crashed and verdict.crashed.startswith("the judge itself failed"):
        raise JudgeFailed(
            verdict.crashed
        )  # perhaps provoked: a person decides, and until then it counts nothing
    return verdict


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the judge and, where the system has process groups, whatever it started."""
    try:
        if sys.platform != "win32":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
