"""The seeds of a course's marks: secret, not the public ones, and the same for every submission."""

from __future__ import annotations

import os
import secrets
import tomllib
from pathlib import Path

COUNT = 20
LOWEST = 1_000_000
"""Public seeds are small numbers; those of marks begin here."""


def course_seeds(work: Path) -> str:
    """The course's seeds as the judge's option takes them, such as `1234567-1234586`.

    They are drawn when they are first asked for and kept in `work`/seeds.toml, which the instructor alone can read:
    grading again, next month and on another machine that has the file, gives the same marks.
    """
    path = work / "seeds.toml"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        first = LOWEST + secrets.randbelow(2**31 - 2 * LOWEST)
        text = (
            "# Secret: marks are decided by these seeds. Keep the file: other seeds can give other marks.\n"
            f"first = {first}\ncount = {COUNT}\n"
        )
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another grader was quicker: its seeds hold
            pass
        else:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    kept = tomllib.loads(path.read_text("utf-8"))
    return f"{kept['first']}-{kept['first'] + kept['count'] - 1}"
