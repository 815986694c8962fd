"""`python -m grading.judge SLOT FILE|-`: judge a component, or an answer. `--serve`: many, see `serving.py`.

Exit status 0: full marks; 1: not; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from grading import checks
from grading.answers import ANSWERS, Prepared, exercise, judge_answer
from grading.judge import judge


def parse_seeds(text: str) -> list[int]:
    """ "1-3,7" is [1, 2, 3, 7]."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        seeds += range(int(first), int(last) + 1) if dash else [int(first)]
    if not seeds:
        raise ValueError("no seeds")
    return seeds


def listing(slot: str) -> str:
    """The requirements, with points and what each promises."""
    if slot in ANSWERS:
        parts = exercise(slot).parts
        lines = [f"{points:>3g}  {id} – {asked}" for points, id, asked in parts]
        return "\n".join([f"{slot}: {sum(points for points, _, _ in parts):g} points", "", *lines])
    suite = checks.suite(slot)
    lines = [f"{slot}: {sum(each.points for each in suite.requirements):g} points", ""]
    for each in suite.requirements:
        lines.append(f"{each.points:>3g}  {each.id} – {each.title}")
        lines += textwrap.wrap(each.promise, 80, initial_indent=" " * 5, subsequent_indent=" " * 5)
    return "\n".join(lines)


def prepare(slot: str) -> None:
    """Loads what every judgement of a slot needs; nothing, if there is no such slot."""
    if slot in ANSWERS:
        found = exercise(slot)
        if isinstance(found, Prepared):
            found.prepare()
    elif slot in checks.SLOTS and "redis" in checks.suite(slot).schema["construct"].values():
        importlib.import_module("grading.judge.redis_model")


def main(argv: Sequence[str] | None = None) -> int:
    if (sys.argv[1:] if argv is None else argv) == ["--serve"]:
        from grading.judge.serving import serve  # who judges one does without

        serve(main, prepare)
        return 0
    parser = argparse.ArgumentParser(prog="python -m grading.judge", description=__doc__)
    parser.add_argument(
        "slot", help="such as url-shortener/redirect-cache; or of an answer, url-shortener/estimates"
    )
    parser.add_argument(
        "file", nargs="?", help="the component's module, or the answer's text; - reads standard input"
    )
    parser.add_argument("--list", action="store_true", help="show the slot's requirements")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    parser.add_argument("--seeds", type=parse_seeds, default=None, help="such as 1-20 or 3,5")
    parser.add_argument("--isolation", choices=["auto", "bubblewrap", "none"], default="auto")
    parser.add_argument(
        "--requirement", action="append", default=[], metavar="ID", help="judge only this one"
    )
    parser.add_argument("--halves", action="store_true", help="by two processes, for somebody who waits")
    options = parser.parse_args(argv)
    try:
        if options.list:
            print(listing(options.slot))
            return 0
        if options.file is None:
            parser.error("name a file, or - for standard input")
        data = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
        source = data.decode("utf-8", "replace")
        if options.slot in ANSWERS:
            # Marks come with seeds that are nobody's; an answer has none, but some keep things back for marks.
            secret = bool(options.seeds) and not set(options.seeds) & set(checks.PUBLIC_SEEDS)
            verdict = judge_answer(options.slot, source, marks=secret)
        else:
            verdict = judge(
                options.slot,
                source,
                options.seeds,
                isolation=options.isolation,
                only=options.requirement,
                halves=options.halves,
            )
    except (ValueError, OSError, RuntimeError) as error:
        print(f"python -m grading.judge: {error}", file=sys.stderr)
        return 2
    out = verdict.to_json() + "\n" if options.json else verdict.text()
    try:
        sys.stdout.buffer.write(out.encode("utf-8", "replace"))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as `head` has
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
