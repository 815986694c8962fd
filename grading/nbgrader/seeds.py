"""The seeds of a course's marks: secret, not the public ones, and for each learner others.

A seed decides what is asked, how skewed and in which bursts, and what fails when. Learners who compare notes have had
different runs; each has the same ones every time. What nobody has touched is judged on seeds of its own: once for all.
"""

from __future__ import annotations

import hmac
import os
import secrets
import tomllib
from pathlib import Path

COUNT = 20
LOWEST = 1_000_000
"""Public seeds are small numbers; those of marks begin here."""


def learner_seeds(work: Path, student: str) -> str:
    """A learner's seeds as the judge's option takes them, such as `1234567-1234586`.

    They follow from the learner's name and from the course's secret, which is drawn when it is first asked for and kept
    in `work`/seeds.toml, which the instructor alone can read: grading again, next month and on another machine that
    has the file, gives the same marks.
    """
    return _of(work, student)


def released_seeds(work: Path) -> str:
    """Nobody's: of cells that are as they were released. There is nothing to compare, and many have them."""
    return _of(work, "")


def _of(work: Path, whose: str) -> str:
    secret, count = _kept(work)
    digest = hmac.digest(secret.encode(), whose.encode(), "sha256")
    first = LOWEST + int.from_bytes(digest, "big") % (2**31 - 2 * LOWEST)
    return f"{first}-{first + count - 1}"


def _kept(work: Path) -> tuple[str, int]:
    """The course's secret, and how many seeds a mark uses."""
    path = work / "seeds.toml"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        text = (
            "# Secret: the seeds of marks follow from this. Keep the file: with another one marks can differ.\n"
            f'secret = "{secrets.token_hex(16)}"\ncount = {COUNT}\n'
        )
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another grader was quicker: its secret holds
            pass
        else:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    kept = tomllib.loads(path.read_text("utf-8"))
    return str(kept["secret"]), int(kept["count"])
