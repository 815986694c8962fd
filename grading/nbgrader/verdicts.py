"""Verdicts on file: what was decided once is not decided again, so grading goes on where it was interrupted.

A verdict follows from the component, the seeds and the judge. All three are in the file's name, so a judge that has
been changed since decides anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grading.judge.report import Verdict
from grading.nbgrader.lift import Component

PROJECT = Path(__file__).parents[2]
JUDGE = ("grading/judge", "grading/host", "grading/checks", "grading/answers", "reference")
"""Where the text lies from which verdicts follow, and the recordings."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`seconds`: of wall time, that the judge took."""

    verdict: Verdict
    seconds: float


class Verdicts:
    """Those in `folder`, which the instructor alone can read: they name secret seeds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, component: Component, seeds: str) -> Kept | None:
        """None as well for a file that somebody has cut or changed."""
        try:
            kept = json.loads(self._path(component, seeds).read_text("utf-8"))
            return Kept(Verdict.from_json(kept["verdict"]), float(kept["seconds"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def put(self, component: Component, seeds: str, kept: Kept) -> None:
        """Whole or not at all: whoever is killed here leaves no half of a verdict."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump({"seconds": round(kept.seconds, 3), "verdict": kept.verdict.to_json()}, file)
            os.replace(name, self._path(component, seeds))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def forget(self, component: Component, seeds: str) -> None:
        self._path(component, seeds).unlink(missing_ok=True)

    def _path(self, component: Component, seeds: str) -> Path:
        asked = f"{judge_digest()}\n{component.slot}\n{seeds}\n{component.source}"
        return self.folder / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"


@cache
def judge_digest() -> str:
    """Of all text that a verdict follows from, on this side."""
    digest = hashlib.sha256()
    for top in JUDGE:
        for path in sorted((PROJECT / top).rglob("*")):
            if path.suffix in {".py", ".toml", ".gz"} and path.is_file():
                digest.update(f"{path.relative_to(PROJECT).as_posix()}\n".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
