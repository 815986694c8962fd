"""`workbench check FILE|NOTEBOOK`: the judge's verdict on components and answers, in the terminal.

A notebook is read as text: its cells that begin with `%%component SLOT` are the components, those with `%%answer ID`
the answers; nothing in it is run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.notebook.verdict import CheckedVerdict

MAGIC = "%%component"
MAGICS = (f"{MAGIC} ", "%%answer ")
DEFAULT_SLOT = "url-shortener/redirect-cache"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("check", help="judge a component, or list what is asked of it")
    parser.add_argument("file", nargs="?", help="a component's module, a notebook, or - for standard input")
    parser.add_argument("--slot", help=f"of a module whose first line does not name it; else {DEFAULT_SLOT}")
    parser.add_argument("--list", action="store_true", help="show the requirements and their points")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument("--seeds", help="such as 1-20; else the public ones and your own")
    parser.add_argument("--isolation", choices=["auto", "bubblewrap", "none"], default="auto")
    parser.add_argument(
        "--requirement", action="append", default=[], metavar="ID", help="judge only this one"
    )
    parser.add_argument(
        "--hint",
        nargs="?",
        type=hint_count,
        const=1,
        metavar="N",
        help="show the first N hints (1 if not given) for what failed",
    )
    parser.set_defaults(run=run)


def hint_count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r} is no number of hints; name the file first: workbench check FILE --hint 1"
    )


def run(options: argparse.Namespace) -> int:
    """0: full marks; 1: not."""
    from grading.answers import ANSWERS, judge_answer
    from grading.judge import judge
    from grading.judge.__main__ import listing, parse_seeds
    from workbench.learner import check_seeds
    from workbench.notebook.verdict import CheckedVerdict

    if options.list:
        show(listing(options.slot or DEFAULT_SLOT))
        return 0
    if options.file is None:
        raise ValueError("name a file to check, or --list")
    seeds = parse_seeds(options.seeds or check_seeds())
    passed = True
    for slot, source in components(options.file, options.slot):
        if slot in ANSWERS:
            judged = judge_answer(slot, source)
        else:
            judged = judge(
                slot,
                source,
                seeds,
                isolation=options.isolation,
                only=options.requirement,
                halves=True,
            )
        verdict = CheckedVerdict.of(judged, source)
        show(verdict.to_json() if options.json else told(verdict, options.hint))
        passed = passed and verdict.passed
    return 0 if passed else 1


def told(verdict: CheckedVerdict, hints: int | None) -> str:
    """The report; or, for whoever asks for hints, the table and so many hints for each requirement that was lost."""
    offered = verdict.hints_text(1)
    if hints is None:
        more = "Stuck? --hint gives a first hint for what failed, --hint 2 a second one as well.\n"
        return verdict.text() + (more if offered else "")
    return verdict.text(details=False) + "\n" + (verdict.hints_text(hints) or "There is no hint to give.\n")


def show(text: str) -> None:
    """Print it at once. Whoever reads may have seen enough, as `head` has: then what is left goes nowhere, quietly."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def components(file: str, slot: str | None = None) -> list[tuple[str, str]]:
    """(slot, module text) of each component in a file. The magic's line stays as an empty one: line numbers fit.

    ValueError: the file cannot be read, or holds none.
    """
    if file == "-":
        return [_component(sys.stdin.read(), slot)]
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {file}: {error}") from error
    if not file.endswith(".ipynb"):
        return [_component(text, slot)]
    found = [_component(cell, None) for cell in _code_cells(file, text) if cell.startswith(MAGICS)]
    found = [each for each in found if slot in (None, each[0])]
    if not found:
        raise ValueError(f"{file} has no cell that begins with {MAGIC} {slot or DEFAULT_SLOT}")
    return found


def _component(text: str, slot: str | None) -> tuple[str, str]:
    first, newline, rest = text.partition("\n")
    if first.startswith(MAGICS):
        return slot or first.partition(" ")[2].strip(), newline + rest
    return slot or DEFAULT_SLOT, text


def _code_cells(file: str, text: str) -> list[str]:
    try:
        cells = json.loads(text)["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        return ["".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{file} is not a notebook: {error!r}") from error
