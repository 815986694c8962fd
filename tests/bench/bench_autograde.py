"""Grading a class: this project's autograde against plain nbgrader's. Writes results/autograde.json.

`python tests/bench/bench_autograde.py [LEARNERS] [GROUPS] [--alone]`

Plain nbgrader executes each notebook in a kernel; its test cells there ask the same judge about the same component, on
as many seeds, and no stack is started. Once as learners hand them in: a cell that would use a stack ends with an error
at once. And once at nbgrader's best: a notebook holds the exercises and nothing else. Learners come in groups; each
group is graded in all ways before the next one, and only the ratio within a group counts. `--alone`: ours only, to see
how it grows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
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

from grading.answers import ANSWERS
from grading.nbgrader.config import PROJECT
from grading.nbgrader.lift import CHECK, Component
from grading.nbgrader.sample import (
    ASSIGNMENT,
    CLASS,
    LABS,
    SOURCE,
    Learner,
    notebooks_of,
    sample_class,
)
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
    """A course of nbgrader's own making, in `root`. What its notebooks are, its two kinds say."""

    def __init__(self, root: Path, slots: dict[str, dict[str, str]]) -> None:
        """`slots`: notebook -> test cell -> slot."""
        self.root, self.slots = root, slots
        self.config = Config()
        self.config.CourseDirectory.root = str(root)
        self.config.Execute.timeout = 300
        self.write(root / "source" / ASSIGNMENT, self.source())
        self.run(GenerateAssignment)

    def source(self) -> dict[str, Any]:
        """By name the instructor's notebooks."""
        raise NotImplementedError

    def handed_in(self, learner: Learner, components: dict[str, str]) -> dict[str, Any]:
        """By name a learner's. `components`: by test cell, what is to be judged."""
        raise NotImplementedError

    def write(self, folder: Path, notebooks: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, notebook in notebooks.items():
            nbformat.write(notebook, folder / f"{name}.ipynb")  # type: ignore[no-untyped-call]

    def hand_in(self, learner: Learner, components: dict[str, str]) -> None:
        self.write(self.root / "submitted" / learner.name / ASSIGNMENT, self.handed_in(learner, components))

    def run(self, step: type, student: str = "*") -> None:
        directory = CourseDirectory(config=self.config, assignment_id=ASSIGNMENT, student_id=student)
        converter = step(coursedir=directory, config=self.config)
        converter.force = True
        converter.start()


class Exercises(Plain):
    """The exercises and nothing else: nbgrader at its best."""

    def source(self) -> dict[str, Any]:
        return {name: self.notebook(tests, {}) for name, tests in self.slots.items()}

    def handed_in(self, learner: Learner, components: dict[str, str]) -> dict[str, Any]:
        return {name: self.notebook(tests, components) for name, tests in self.slots.items()}

    def notebook(self, tests: dict[str, str], handed_in: dict[str, str]) -> Any:
        cells = []
        for test, slot in tests.items():
            about: dict[str, Any] = {"schema_version": 3, "locked": False, "task": False}
            solution = about | {"grade": False, "solution": True, "grade_id": f"{test}-solution"}
            component = f"component = {handed_in.get(test, '')!r}"
            cells.append(new_code_cell(component, metadata={"nbgrader": solution}))  # type: ignore[no-untyped-call]
            graded = about | {
                "grade": True,
                "solution": False,
                "locked": True,
                "points": 20,
                "grade_id": test,
            }
            asked = IN_THE_KERNEL.format(slot=slot, end=5_000_000 + COUNT)
            cells.append(new_code_cell(asked, metadata={"nbgrader": graded}))  # type: ignore[no-untyped-call]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        return new_notebook(cells=cells, metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]


class Whole(Plain):
    """The notebooks as they are handed in, without a stack."""

    def source(self) -> dict[str, Any]:
        paths = [PROJECT / SOURCE / f"{name}.ipynb" for name in self.slots]
        return {path.stem: self.notebook(path.stem, json.loads(path.read_text("utf-8"))) for path in paths}

    def handed_in(self, learner: Learner, components: dict[str, str]) -> dict[str, Any]:
        trees = {Path(name).stem: tree for name, tree in notebooks_of(learner)}
        return {name: self.notebook(name, trees[name]) for name in self.slots}

    def notebook(self, name: str, tree: Any) -> Any:
        notebook: Any = nbformat.reads(json.dumps(tree), as_version=4)  # type: ignore[no-untyped-call]
        for cell in notebook.cells:
            test = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if test in self.slots[name]:
                variable = test.removesuffix(CHECK).replace("-", "_")
                slot = self.slots[name][test]
                text = f"component = {variable}.{'text' if slot in ANSWERS else 'source'}"
                cell.source = f"{text}\n{IN_THE_KERNEL.format(slot=slot, end=5_000_000 + COUNT)}"
            elif cell.cell_type == "code":
                cell.source = re.sub(r"\bStack\(", "there_is_no_stack(", cell.source)
        return notebook


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
    plain: dict[str, Plain] = {}
    if not alone:
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for alembic
        tests = {each.test: each.slot for each in handed_in}
        slots = {
            path.stem: {test: slot for test, slot in tests.items() if f'"{test}"' in path.read_text("utf-8")}
            for path in sorted((PROJECT / LABS).glob("*.ipynb"))
        }
        plain["plain nbgrader, notebooks whole"] = Whole(folder / "whole", slots)
        plain["plain nbgrader, exercises only"] = Exercises(folder / "exercises", slots)
        for learner in everybody:
            mine = {each.test: each.lifted for each in handed_in if each.student == learner.name}
            sources = {test: c.source for test, c in mine.items() if isinstance(c, Component)}
            for course_of_plain in plain.values():
                course_of_plain.hand_in(learner, sources)
    seconds: dict[str, list[float]] = {"ours": [], **{name: [] for name in plain}}
    same = dict.fromkeys(plain, 0)
    for number in range(groups):
        group = [each for each in everybody if each.name.startswith(f"group-{number}-")]
        os.sync()  # what was written before is nobody's to wait for
        began = time.perf_counter()
        for line in course.autograde(f"group-{number}-*"):
            assert " points" in line, line
        seconds["ours"].append((time.perf_counter() - began) / len(group))
        for name, other in plain.items():
            os.sync()
            began = time.perf_counter()
            for learner in group:
                other.run(Autograde, learner.name)
            seconds[name].append((time.perf_counter() - began) / len(group))
            same[name] += sum(
                abs(points(course, each.name) - points(other, each.name)) < 0.01 for each in group
            )
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
    if plain:
        found["times the rate of"] = {
            name: statistics.median(
                one / other for one, other in zip(seconds[name], seconds["ours"], strict=True)
            )
            for name in plain
        }
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
