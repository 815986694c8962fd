"""Who is learning, as far as it matters: a seed of one's own, the same every time."""

from __future__ import annotations

import getpass
import zlib

PUBLIC = (1, 2)
LOWEST, HIGHEST = 1_000, 1_000_000
"""Between the public seeds and those of marks."""


def own_seed(name: str | None = None) -> int:
    """A seed that belongs to a login name; to the one that this process runs under, if none is given.

    It gives each learner a workload of their own: which keys are popular, when bursts come, what fails when.
    """
    return LOWEST + zlib.crc32((name or login()).encode()) % (HIGHEST - LOWEST)


def login() -> str:
    """The login name (on JupyterHub the account that the learner's server runs under); "learner" if there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "learner"


def check_seeds() -> str:
    """The seeds of `check`, as the judge takes them: public ones, and one's own."""
    return ",".join(map(str, (*PUBLIC, own_seed())))
