"""The judge is judged: `workbench mutants` prints components × requirements, for each slot.

Wrong components must lose the requirement that their manifest names, odd but right ones and the reference none.
`--thousand` has the reference judged on a thousand fresh seeds a slot, and writes what came out to `RESULT`.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from grading import checks
from grading.answers import ANSWERS, exercise, judge_answer
from grading.judge import Verdict, judge
from grading.judge.report import SIGNS

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "grading/mutants/thousand.json"
CASES = {"url-shortener": "shortener"}
"""Case -> its folder in `reference`."""

Kind = Literal["wrong", "odd"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A component of the manifest. `rejected_by`: the requirement that a wrong one must lose."""

    slot: str
    kind: Kind
    name: str
    title: str
    why: str
    source: str
    rejected_by: str = ""
    subtle: bool = False
    """Seen only under a fault, or by an interleaving or a rare input."""
    symptom: str = ""
    """What clients of a live stack see of it."""


def folder(slot: str) -> Path:
    case, _, name = slot.partition("/")
    return ROOT / "grading/mutants" / case.replace("-", "_") / name.replace("-", "_")


def entries(slot: str, kind: Kind) -> list[Entry]:
    """In the order of the manifest."""
    manifest = tomllib.loads((folder(slot) / "manifest.toml").read_text("utf-8"))
    return [_entry(slot, kind, **each) for each in manifest[kind]]


def _entry(
    slot: str, kind: Kind, file: str = "", name: str = "", edits: Sequence[Sequence[str]] = (), **more: Any
) -> Entry:
    """A component that is a `file` of its own, or `edits` of the slot's `base.py`; or rules, of `base.yml`."""
    path = folder(slot) / (f"{kind}/{file}" if file else f"base.{'yml' if slot in ANSWERS else 'py'}")
    source = path.read_text("utf-8")
    return Entry(slot, kind, name or path.stem, source=edited(source, edits), **more)


def edited(text: str, edits: Sequence[Sequence[str]]) -> str:
    """`text` with other lines in place of some. ValueError: an edit's lines are not in it exactly once."""
    for was, _ in edits:
        if text.count(f"\n{was}\n") != 1:
            raise ValueError(f"these lines should be there exactly once:\n{was}")
    for was, becomes in sorted(edits, key=lambda edit: text.index(f"\n{edit[0]}\n"), reverse=True):
        before, _, after = text.rpartition(f"\n{was}\n")
        text = "\n".join([before, *([becomes] if becomes else []), after])
    return text


def answers() -> list[str]:
    """Those that have wrong ones."""
    return [id for id in ANSWERS if folder(id).exists()]


def filling(slot: str, name: Literal["plain", "reference"]) -> str:
    """The text of one of our own fillings of the slot."""
    case, _, slot_name = slot.partition("/")
    within = f"reference/{CASES[case]}" + ("/plain" if name == "plain" else "")
    return (ROOT / within / f"{slot_name.replace('-', '_')}.py").read_text("utf-8")


def row(name: str, verdict: Verdict, rejected_by: str = "") -> str:
    signs = "".join(
        f"{SIGNS[each.verdict]}{'<' if each.id == rejected_by else ' '}".center(4)
        for each in verdict.requirements
    )
    return f"  {name:<32} {verdict.points:>3g}  {signs}".rstrip()


def matrix(slot: str, seeds: Sequence[int]) -> Iterator[tuple[str, bool]]:
    """Lines, and whether each is as it should be."""
    requirements = checks.suite(slot).requirements
    yield f"{slot} (seeds {min(seeds)} to {max(seeds)})", True
    for number, each in enumerate(requirements, 1):
        yield f"  {number:>2} = {each.id} ({each.points:g}): {each.title}", True
    heading = "".join(str(number).center(4) for number in range(1, len(requirements) + 1))
    yield f"  {'':<32} {'pts':>3}  {heading}".rstrip(), True
    verdict = judge(slot, filling(slot, "reference"), seeds)
    yield row("reference", verdict), verdict.passed
    for entry in entries(slot, "odd"):
        verdict = judge(slot, entry.source, seeds)
        yield row(f"odd: {entry.name}", verdict), verdict.passed
    for entry in entries(slot, "wrong"):
        verdict = judge(slot, entry.source, seeds)
        lost = {each.id for each in verdict.requirements if each.verdict == "fail"}
        yield row(entry.name, verdict, entry.rejected_by), entry.rejected_by in lost


def answer_matrix(id: str) -> Iterator[tuple[str, bool]]:
    """The same of an answer, judged as for marks. `base` is the solution."""
    parts = exercise(id).parts
    yield f"{id} (as for marks)", True
    for number, (points, part, title) in enumerate(parts, 1):
        yield f"  {number:>2} = {part} ({points:g}): {title}", True
    heading = "".join(str(number).center(4) for number in range(1, len(parts) + 1))
    yield f"  {'':<32} {'pts':>3}  {heading}".rstrip(), True
    verdict = judge_answer(id, (folder(id) / "base.yml").read_text("utf-8"), marks=True)
    yield row("solution", verdict), verdict.passed
    for entry in entries(id, "odd"):
        verdict = judge_answer(id, entry.source, marks=True)
        yield row(f"odd: {entry.name}", verdict), verdict.passed
    for entry in entries(id, "wrong"):
        verdict = judge_answer(id, entry.source, marks=True)
        lost = {each.id for each in verdict.requirements if each.verdict == "fail"}
        yield row(entry.name, verdict, entry.rejected_by), entry.rejected_by in lost


def thousand(slot: str, count: int, base: int) -> dict[str, Any]:
    """The reference on `count` seeds from `base` on: what it earned, and how long a seed took."""
    began = time.perf_counter()
    verdict = judge(slot, filling(slot, "reference"), range(base, base + count))
    seconds = time.perf_counter() - began
    return {
        "seeds": [base, base + count - 1],
        "points": verdict.points,
        "of": verdict.max_points,
        "milliseconds_a_seed": round(1000 * seconds / count, 1),
        "lost": [each.id for each in verdict.requirements if each.verdict != "pass"],
    }


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("mutants", help="wrong and odd components against the judge (instructors)")
    parser.add_argument("slot", nargs="*", help="such as url-shortener/redirect-cache; all, if none is named")
    parser.add_argument("--seeds", help="such as 1-20; else the public ones")
    parser.add_argument(
        "--thousand",
        nargs="?",
        const=1000,
        type=int,
        metavar="COUNT",
        help="the reference alone, on so many seeds",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0: all is as it should be. ValueError: no such slot."""
    from grading.judge.__main__ import parse_seeds

    slots = options.slot or [*checks.SLOTS, *answers()]
    for slot in slots:
        if slot not in answers():
            checks.suite(slot)
    if options.thousand:
        return _thousand([slot for slot in slots if slot not in ANSWERS], options.thousand)
    seeds = parse_seeds(options.seeds) if options.seeds else list(checks.PUBLIC_SEEDS)
    wrong = 0
    for slot in slots:
        for line, right in answer_matrix(slot) if slot in ANSWERS else matrix(slot, seeds):
            print(line if right else f"{line}   <- not as it should be", flush=True)
            wrong += not right
        print()
    print(f"{wrong} not as they should be" if wrong else "all as they should be")
    return 1 if wrong else 0


def _thousand(slots: Sequence[str], count: int) -> int:
    base = 1_000 + secrets.randbelow(10**9)
    found = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
    for slot in slots:
        found[slot] = thousand(slot, count, base)
        print(slot, json.dumps(found[slot]), flush=True)
    RESULT.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", "utf-8")
    return 1 if any(found[slot]["lost"] for slot in slots) else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    options = parser.parse_args(["mutants", *sys.argv[1:]])
    sys.exit(options.run(options))
