"""Which files a bundle holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from grading.answers.alerts.runs import unpacked
from grading.checks.testers.bank import FILE, dumps, loads

PROJECT = Path(__file__).parents[2]

PARTS = (
    "LICENSE",
    "environment.yml",
    "postBuild",
    "pyproject.toml",
    "python.mk",
    "requirements.lock",
    ".gitignore",
    "compose",
    "grading/__init__.py",
    "grading/answers",
    "grading/checks",
    "grading/host",
    "grading/judge",
    "labs",
    "reference",
)
"""Files, and folders with all that is in them."""

LEFT_OUT = (
    "grading/checks/testers/__main__.py",  # makes recordings, of mutants
    "grading/checks/testers/making.py",
    "grading/checks/url_shortener/hash_codes_tester/making.py",
    "grading/checks/url_shortener/redirect_cache_tester/making.py",
    "labs/workbench/release.py",  # releases grading/source
    "labs/workbench/teach.py",
)

RUNS = "grading/answers/alerts/runs/"
"""Recordings for alert rules; those that marks are given on stay behind."""

LITTER = ("__pycache__", ".ipynb_checkpoints")
"""Bytecode is a solution as well."""

SHORTENER = "reference/shortener"
HELD_BACK = (
    "base62",
    "hash_codes",
    "snowflake_codes",
    "key_pool",
    "redirect_cache",
    "shard_router",
    "click_aggregator",
    "hash_codes_tester",
    "redirect_cache_tester",
)
"""Modules of the reference that are the solution of an exercise."""

SHOWN_PLAIN = ("redirect_cache", "hash_codes_tester", "redirect_cache_tester")
"""Of these, the plain variant has few of the exercise's points. Others have most, or even all: they stay behind too."""

IN_ITS_PLACE = '"""What the exercise begins with: the reference has a better one, and so will you."""\n\n'

OWN = Path(__file__).parent / "learners"
"""What only a bundle has. Lies there as it will lie in the bundle."""


def contents(root: Path, course: Path) -> dict[str, bytes]:
    """Path in the bundle -> what stands there: from the project in `root`, and the notebooks that `course` released."""
    found = {path.relative_to(root).as_posix(): path for part in PARTS for path in _files(root / part)}
    released = [path for path in _files(course / "labs") if path.suffix == ".ipynb"]
    found |= {path.relative_to(course).as_posix(): path for path in released}
    texts = {name: path.read_bytes() for name, path in found.items() if name not in LEFT_OUT}
    begin = first_cells(texts)
    for module in HELD_BACK:
        plain = f"{SHORTENER}/plain/{module}.py"
        texts[f"{SHORTENER}/{module}.py"] = begin.get(module, texts[plain])
        if module not in SHOWN_PLAIN:
            texts[plain] = texts[f"{SHORTENER}/{module}.py"]
    for name in [name for name in texts if name.endswith(f"/{FILE}")]:
        texts[name] = shown_only(texts[name])
    for name in [name for name in texts if name.startswith(RUNS)]:
        if not unpacked(texts[name]).truth.shown:
            del texts[name]
    texts |= {path.relative_to(OWN).as_posix(): path.read_bytes() for path in _files(OWN)}
    return dict(sorted(texts.items()))


def first_cells(texts: dict[str, bytes]) -> dict[str, bytes]:
    """Module -> what the cell of its exercise holds when a learner first sees it."""
    found = {}
    for path, data in texts.items():
        if path.endswith(".ipynb"):
            for cell in json.loads(data)["cells"]:
                first, _, text = "".join(cell["source"]).partition("\n")
                magic, _, slot = first.partition(" ")
                if magic == "%%component" and cell["metadata"].get("nbgrader", {}).get("solution"):
                    module = slot.partition("/")[2].replace("-", "_")
                    found[module] = (IN_ITS_PLACE + text.partition("# YOUR TURN")[0].rstrip() + "\n").encode()
    return found


def shown_only(recordings: bytes) -> bytes:
    """Of a slot for testers: without the recordings that marks are given on."""
    entries = loads(gzip.decompress(recordings).decode("utf-8"))
    return gzip.compress(dumps([each for each in entries if each.shown]).encode("utf-8"), mtime=0)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for each in sorted(path.rglob("*")):
            if each.is_file() and not set(each.parts) & set(LITTER) and each.suffix not in (".pyc", ".pyo"):
                yield each
