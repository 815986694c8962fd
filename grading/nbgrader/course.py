"""`workbench course`: one assignment from its source to marks in a table. Each step is nbgrader's own, configured here.

Imports nbgrader only when a step runs, so that the rest of the command line stays quick.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

ASSIGNMENT = "url-shortener"
PROJECT = Path(__file__).parents[2]


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Adds `course` and its steps. Each sets `run`: a function of the parsed arguments that returns the exit code."""
    course = subparsers.add_parser(
        "course", help="prepare, collect, grade and return an assignment (for instructors)"
    )
    steps = course.add_subparsers(dest="step", required=True, metavar="STEP")

    def step(name: str, help: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = steps.add_parser(name, help=help, description=help)
        parser.add_argument(
            "assignment", nargs="?", default=ASSIGNMENT, help="the assignment (default: %(default)s)"
        )
        parser.add_argument(
            "--root",
            type=Path,
            default=Path.cwd() if Path("nbgrader_config.py").is_file() else PROJECT,
            help="the course: holds grading/source and labs (default: this folder, if it is one; else this project)",
        )
        parser.set_defaults(run=run)
        return parser

    step(
        "generate", "make the learners' notebooks from grading/source, and note their cells in the gradebook"
    )
    due = step("due", "set the time until which a submission is not late")
    due.add_argument(
        "--at", type=datetime.fromisoformat, required=True, help="such as 2026-12-01T18:00+01:00"
    )
    step("release", "put the learners' notebooks into the exchange")
    collect = step("collect", "fetch what was handed in, from the exchange or from a folder")
    collect.add_argument(
        "--from",
        dest="folder",
        type=Path,
        help="a folder with STUDENT/NOTEBOOK.ipynb, such as a download from an LMS",
    )
    autograde = step("autograde", "have the judge decide every submission; no submitted cell is executed")
    autograde.add_argument("--student", default="*", help="one student's submission only")
    autograde.add_argument(
        "--workers", type=int, help="submissions judged at once (default: one for each core)"
    )
    autograde.add_argument(
        "--scheduler",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="of a Dask cluster that judges, such as tcp://10.0.0.1:8786; without an address, one on this machine",
    )
    autograde.add_argument("--exercise", help="judge this exercise alone, by its slot or its cell's name")
    autograde.add_argument(
        "--again", action="store_true", help="judge also what has its verdict on file already"
    )
    view = step(
        "class", "show where the class lost its points, by which mistakes, and what needs a look; and as CSV"
    )
    view.add_argument("--to", type=Path, help="a folder for the tables (default: work/course/class)")
    bundle = step(
        "bundle",
        "what learners get: all that runs, without the solutions; as a folder, or as a branch to pull",
    )
    bundle.add_argument("--to", type=Path, help="the folder: a new one, or one with an earlier bundle")
    bundle.add_argument(
        "--branch", help="the branch, in this project's repository; it shares no history with the others"
    )
    step("feedback", "make a page for each submission: work/course/feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html")
    step("release-feedback", "put the feedback pages into the exchange")
    export = step("export", "write all marks to a CSV file, with the points of every requirement")
    export.add_argument("--to", type=Path, default=Path("grades.csv"), help="the file (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Runs one step. Exit code 0: done; 1: something needs an instructor's eye, and was said on stderr."""
    if args.step == "bundle":
        from grading.bundle.command import bundle

        return bundle(args.root, args.to, args.branch)
    import warnings

    from nbgrader.converters.base import NbGraderException
    from nbgrader.exchange import ExchangeError
    from sqlalchemy.exc import SAWarning

    from grading.nbgrader.lift import Misconfigured
    from grading.nbgrader.steps import Course

    warnings.filterwarnings(
        "ignore", category=SAWarning, module="nbgrader"
    )  # its gradebook code provokes them
    course = Course(args.root, args.assignment)
    if args.step != "generate" and not course.is_known():
        print(
            f"workbench course {args.step}: there is no course in {course.root} yet: `workbench course generate` begins"
            " one, and --root names one that is elsewhere (the sample class: --root work/sample-class)",
            file=sys.stderr,
        )
        return 1
    try:
        match args.step:
            case "generate":
                course.generate()
                print(f"the learners' notebooks: {course.root / 'labs'}")
            case "due":
                course.due(args.at)
            case "release":
                course.release()
            case "collect":
                course.collect(args.folder)
            case "autograde":
                tell = partial(print, file=sys.stderr, flush=True)
                for line in course.autograde(
                    args.student,
                    args.workers,
                    exercise=args.exercise,
                    again=args.again,
                    scheduler=args.scheduler,
                    tell=tell,
                ):
                    print(line)
            case "class":
                from grading.nbgrader.class_of import class_of
                from grading.nbgrader.class_text import summary

                found = class_of(course)
                print(summary(found))
                written = found.write(args.to or course.work / "class")
                print("\n".join(["", "as tables:", *(f"  {path}" for path in written)]))
            case "feedback":
                course.feedback()
                print(f"a page for each notebook of each learner: {course.work / 'feedback'}")
                tell_of_unmarked(course.unmarked())
            case "release-feedback":
                course.release_feedback()
            case "export":
                course.export(args.to)
                print(f"marks: {args.to.resolve()}")
                tell_of_unmarked(course.unmarked())
    except (NbGraderException, ExchangeError, Misconfigured) as error:
        print(f"workbench course {args.step}: {error}", file=sys.stderr)
        return 1
    return 0


def tell_of_unmarked(students: list[str]) -> None:
    if students:
        names = ", ".join(students)
        print(f"not final: answers of {names} are not marked yet (Manual Grading in the formgrader)")


def main(argv: list[str] | None = None) -> int:
    """`python -m grading.nbgrader.course STEP`, the same without the `workbench` command."""
    parser = argparse.ArgumentParser(prog="workbench")
    add_parser(parser.add_subparsers(dest="command", required=True))
    args = parser.parse_args(["course", *(sys.argv[1:] if argv is None else argv)])
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
