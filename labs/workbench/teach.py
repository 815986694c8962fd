"""`workbench teach`: JupyterLab as an instructor has it, over a class to try everything on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from workbench.lab import ROOT, private_jupyter, server_arguments

FIRST = "START-HERE.md"


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    text = "open JupyterLab as an instructor, with a sample class to grade"
    teach = subparsers.add_parser("teach", help=text, description=text)
    default = ROOT / "work/sample-class"
    teach.add_argument("--course", type=Path, default=default, help="the course (default: work/sample-class)")
    teach.add_argument("--no-browser", action="store_true", help="only print the URL")
    teach.add_argument("--port", type=int, default=0, help="default: 8888, or a free one")
    teach.add_argument("--ip", default="127.0.0.1", help="address to listen on (default: this machine only)")
    teach.add_argument("--base-url", default="/", help="a path prefix, where a proxy stands in front")
    teach.set_defaults(run=open_as_instructor, notebook=FIRST)


def open_as_instructor(args: argparse.Namespace) -> int:
    root = args.course.resolve()
    from grading.nbgrader.sample import prepare  # learners need not have it

    print(prepare(root), flush=True)
    os.environ.update(private_jupyter(root, instructor=True))
    os.chdir(root)  # by which nbgrader finds a course
    argv = server_arguments(args, root)
    from jupyterlab.labapp import LabApp  # only now: Jupyter looks at the environment when it is imported

    LabApp.launch_instance(argv)
    return 0
