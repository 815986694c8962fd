"""Grading a class: this project's autograde against plain nbgrader's. Writes results/autograde.json.

`python tests/bench/bench_autograde.py [LEARNERS] [GROUPS] [--alone]`

Plain nbgrader executes each notebook in a kernel; its test cells there ask the same judge about the same component, on
as many seeds, and start no stack: a notebook holds the exercises and nothing else. Learners come in groups; each group
is graded by both before the next one, and only the ratio within a group counts. `--alone`: ours only, to see how it
grows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading.nbgrader.lift import Component
from grading.nbgrader.sample import ASSIGNMENT, CLASS, LABS, PROJECT, Learner, notebooks_of, sample_class
from grading.nbgrader.seeds import COUNT
from grading.nbgrader.steps import Course

RESULT = Path(__file__).parent / "results/autograde.json"
IN_THE_KERNEL = """from grading.answers import ANSWERS, judge_answer
from grading.judge import judge
slot, seeds = {slot!r}, range(5_000_000, {end})
judged = judge_answer(slot, component) if slot in ANSWERS else judge(slot, component, seeds)
judged.points"""


def learners(count: int, groups: int) -> list[Learner]:
    """The sample class over and over, without the one whose notebook nobody can read; by name, in groups alike."""
    kinds = [each for each in CLASS if not each.broken]
    return [
        replace(kinds[number % len(kinds)], name=f"group-{number // len(kinds) % groups}-{number:03}")
        for number in range(count)
    ]


def hand_in(learner: Learner, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, tree in notebooks_of(learner):
        (folder / name).write_text(json.dumps(tree), "utf-8")


class Plain:
    """A course of nbgrader's own making, in `root`."""

    def __init__(self, root: Path, slots: dict[str, dict[str, str]]) -> None:
        """`slots`: notebook -> test cell -> slot."""
        self.root, self.slots = root, slots
        self.config = Config()
        self.config.CourseDirectory.root = str(root)
        self.config.Execute.timeout = 300
        for name, tests in slots.items():
            path = root / "source" / ASSIGNMENT / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(self.notebook(tests, {}), path)  # type: ignore[no-untyped-call]
        self.run(GenerateAssignment)

    def notebook(self, tests: dict[str, str], handed_in: dict[str, str]) -> Any:
        cells = []
        for test, slot in tests.items():
            about = {"schema_version": 3, "grade": False, "solution": True, "locked": False, "task": False}
            component = f"component = {handed_in.get(test, '')!r}"
            cells.append(
                new_code_cell(component, metadata={"nbgrader": about | {"grade_id": f"{test}-solution"}})
            )  # type: ignore[no-untyped-call]
            about = about | {"grade": True, "solution": False, "locked": True, "points": 20, "grade_id": test}
            asked = IN_THE_KERNEL.format(slot=slot, end=5_000_000 + COUNT)
            cells.append(new_code_cell(asked, metadata={"nbgrader": about}))  # type: ignore[no-untyped-call]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        return new_notebook(cells=cells, metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]

    def hand_in(self, student: str, components: dict[str, str]) -> None:
        for name, tests in self.slots.items():
            path = self.root / "submitted" / student / ASSIGNMENT / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(self.notebook(tests, components), path)  # type: ignore[no-untyped-call]

    def run(self, step: type, student: str = "*") -> None:
        directory = CourseDirectory(config=self.config, assignment_id=ASSIGNMENT, student_id=student)
        converter = step(coursedir=directory, config=self.config)
        converter.force = True
        converter.start()


def points(course: Course | Plain, student: str) -> float:
    from nbgrader.api import Gradebook

    with Gradebook(CourseDirectory(config=course.config).db_url) as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, student)
        return sum(grade.auto_score or 0 for notebook in submission.notebooks for grade in notebook.grades)


def measure(folder: Path, count: int, groups: int, alone: bool) -> dict[str, Any]:
    root = folder / "ours"
    sample_class(root)
    course = Course(root, ASSIGNMENT)
    course.generate()
    everybody = learners(count, groups)
    for learner in everybody:
        hand_in(learner, root / "work/course/submitted" / learner.name / ASSIGNMENT)
    handed_in = list(course.handed_in())
    exercises = len(handed_in) // count
    plain = None
    if not alone:
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for alembic
        tests = {each.test: each.slot for each in handed_in}
        slots = {
            path.stem: {test: slot for test, slot in tests.items() if f'"{test}"' in path.read_text("utf-8")}
            for path in sorted((PROJECT / LABS).glob("*.ipynb"))
        }
        plain = Plain(folder / "plain", slots)
        for learner in everybody:
            mine = {each.test: each.lifted for each in handed_in if each.student == learner.name}
            plain.hand_in(
                learner.name, {test: c.source for test, c in mine.items() if isinstance(c, Component)}
            )
    seconds: dict[str, list[float]] = {"ours": [], "plain nbgrader": []}
    same = 0
    for number in range(groups):
        group = [each for each in everybody if each.name.startswith(f"group-{number}-")]
        began = time.perf_counter()
        for line in course.autograde(f"group-{number}-*"):
            assert " points" in line, line
        seconds["ours"].append((time.perf_counter() - began) / len(group))
        if plain is not None:
            began = time.perf_counter()
            for learner in group:
                plain.run(Autograde, learner.name)
            seconds["plain nbgrader"].append((time.perf_counter() - began) / len(group))
            same += sum(abs(points(course, each.name) - points(plain, each.name)) < 0.01 for each in group)
        print(number, {name: round(values[-1], 2) for name, values in seconds.items() if values}, flush=True)
    found: dict[str, Any] = {
        "learners": count,
        "groups": groups,
        "exercises of each": exercises,
        "seconds a submission": {name: statistics.median(v) for name, v in seconds.items() if v},
        "seconds a graded exercise": {
            name: statistics.median(v) / exercises for name, v in seconds.items() if v
        },
        "largest process, MB": {
            "itself": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "a child": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        },
    }
    if plain is not None:
        pairs = zip(seconds["plain nbgrader"], seconds["ours"], strict=True)
        found["times plain nbgrader's rate"] = statistics.median(one / other for one, other in pairs)
        found["submissions with the same points"] = same
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("learners", nargs="?", type=int, default=30)
    parser.add_argument("groups", nargs="?", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="do not run plain nbgrader")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # nbgrader's own
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.learners, options.groups, options.alone)
    result = {
        "what": "autograde of the whole case, submissions right, partly right, wrong and untouched",
        "command": " ".join(["python tests/bench/bench_autograde.py", *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in ("nbgrader", "nbconvert", "nbclient", "ipykernel")},
        "load_average_before": before,
        "seeds of a mark": COUNT,
        **found,
    }
    kept = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    kept["ours alone" if options.alone else "against plain nbgrader"] = result
    RESULT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
