"""Has the judge decide a component: a process of its own, with a limit on wall time as the last resort.

One component is decided by a fresh judge, many by judges that stay (`warm.py`). A subprocess, since nbgrader's
formgrader runs the very same steps inside the server's event loop, and since nothing that a learner wrote may come near
the process that writes marks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from grading.judge.report import Verdict
from grading.nbgrader.cluster import cluster
from grading.nbgrader.lift import Component
from grading.nbgrader.progress import Progress
from grading.nbgrader.verdicts import Kept, Verdicts
from grading.nbgrader.warm import POSSIBLE, Answer, NoAnswer, cores_for, kill, of_this_thread, take_core

COMMAND = (sys.executable, "-I", "-m", "grading.judge")
WALL_LIMIT = 120.0
"""Seconds. The judge counts work and ends loops itself, in a fraction of this."""


class JudgeFailed(Exception):
    """The judge gave no verdict. No learner is marked down for that: a person has to look."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Asks the judge. `command`: empty for the one that is installed where this runs. `verdicts`: those on file, used
    and added to; None: each is decided anew."""

    seeds: str
    command: Sequence[str] = ()
    wall_limit: float = WALL_LIMIT
    verdicts: Verdicts | None = None

    def verdict(self, component: Component) -> Verdict:
        """Raises JudgeFailed if there is none, after a second try."""
        if (kept := self.kept(component)) is not None:
            return kept.verdict
        try:
            found = self.decide(component)
        except JudgeFailed:
            found = self.decide(component)
        self.keep(component, found)
        return found.verdict

    def kept(self, component: Component) -> Kept | None:
        return self.verdicts.get(component, self.seeds) if self.verdicts is not None else None

    def keep(self, component: Component, found: Kept) -> None:
        if self.verdicts is not None:
            self.verdicts.put(component, self.seeds, found)

    def decide(self, component: Component, *, warm: bool = False) -> Kept:
        """Anew, and without keeping it. `warm`: by the judge that stays with this thread. Raises JudgeFailed."""
        began = time.monotonic()
        argv = (component.slot, "-", "--json", "--seeds", self.seeds)
        answer = self._ask_warm(argv, component) if warm else self._ask(argv, component)
        if answer.status not in (0, 1):
            said = answer.err.strip().splitlines()[-1:]
            raise JudgeFailed(f"the judge ended with {answer.status}: {' '.join(said)}")
        return Kept(_parsed(answer.out, component), time.monotonic() - began)

    def _ask_warm(self, argv: Sequence[str], component: Component) -> Answer:
        try:
            return of_this_thread(COMMAND).ask(argv, component.source, self.wall_limit)
        except NoAnswer as error:
            raise JudgeFailed(str(error)) from None

    def _ask(self, argv: Sequence[str], component: Component) -> Answer:
        command = [*(self.command or COMMAND), *argv]
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
                kill(process)
                raise JudgeFailed(f"no verdict within {self.wall_limit:g} s") from None
            except BaseException:
                kill(process)
                raise
        return Answer(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def judge_ahead(
    asked: Sequence[tuple[Judge, Component]],
    workers: int | None = None,
    tell: Callable[[str], None] | None = None,
    scheduler: str | None = None,
) -> Generator[int, None, None]:
    """Decides several at once, each by its judge, and the same for the same seeds once; what is on file is left as it
    is. Yields each place in `asked` when the verdict is on file, or when there is none; the others go on meanwhile.
    `workers`: at once, by default one for each core. `scheduler`: of a Dask cluster, see `cluster`; None: here.
    `tell`: gets lines on how far it is. ClusterError."""
    places: dict[tuple[str, Component], list[int]] = {}
    for place, (judge, component) in enumerate(asked):
        places.setdefault((judge.seeds, component), []).append(place)
    on_file: list[int] = []
    left: list[list[int]] = []
    for of_one in places.values():
        judge, component = asked[of_one[0]]
        if judge.kept(component) is None:
            left.append(of_one)
        else:
            on_file += of_one
    if not left:
        yield from on_file
        return
    progress = Progress(len(left), tell or (lambda line: None))
    with executor(workers or os.cpu_count() or 1, scheduler) as pool:
        begun = {}
        for of_one in left:
            judge, component = asked[of_one[0]]
            begun[pool.submit(decided, replace(judge, verdicts=None), component)] = of_one
        try:
            yield from on_file
            for each in as_completed(begun):
                judge, component = asked[begun[each][0]]
                if (found := each.result()) is not None:
                    judge.keep(component, found)
                progress.one()
                yield from begun[each]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def executor(workers: int, scheduler: str | None) -> AbstractContextManager[Executor]:
    if scheduler is not None:
        return cluster(scheduler, workers)
    return ThreadPoolExecutor(workers, initializer=take_core, initargs=(cores_for(workers),))


def decided(judge: Judge, component: Component) -> Kept | None:
    """Also on a machine of a cluster, so it writes no file. None: the judge failed, which is for `verdict` to meet."""
    try:
        return judge.decide(component, warm=POSSIBLE and not judge.command)
    except JudgeFailed:
        return None


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
