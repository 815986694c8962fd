"""`python -m grading.checks.testers SLOT… [--kept 5000-5005]`: make the recordings of slots for testers anew.

The same seeds give the same recordings, unless a component or a workload was changed. For a course, `--kept` with
seeds that nobody knows gives marks on recordings that nobody has seen; keep that file out of what is handed out.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from grading import checks
from grading.checks.testers.bank import save
from grading.checks.testers.making import KEPT, SHOWN, Making
from grading.judge.__main__ import parse_seeds


def making(slot: str) -> Making:
    """ValueError: no slot for testers."""
    checks.suite(slot)
    try:
        found: Making = importlib.import_module(f"{checks.SLOTS[slot]}.making").MAKING
    except ModuleNotFoundError:
        raise ValueError(f"{slot} is no slot for testers") from None
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m grading.checks.testers", description=__doc__)
    parser.add_argument("slot", nargs="+", help="such as url-shortener/redirect-cache-tester")
    parser.add_argument("--kept", help="seeds of the recordings that only marks use, such as 5000-5005")
    options = parser.parse_args()
    kept = parse_seeds(options.kept) if options.kept else list(KEPT)
    if set(kept) & set(SHOWN):
        parser.error(f"seeds {SHOWN[0]} to {SHOWN[-1]} are those that learners see")
    for slot in options.slot:
        made = making(slot)
        entries = made.all([*SHOWN, *kept])
        save(made.path, entries)
        print(f"{slot}: {len(entries)} recordings, {made.path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
