"""Is there a wheel of every locked package on every system that the README promises? Needs the package index.

Run by `make wheels` and `.ci/run`; not part of `make test`, which works offline.
Without a wheel a learner would need a compiler, so a source distribution does not count.
"""

import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = str(Path(sys.executable).with_name("uv"))
SYSTEMS = ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"]
PYTHONS = ["3.11", "3.12", "3.13"]


def missing(system: str, python: str) -> str:
    """What the resolver says is missing; empty if every locked package has a wheel there."""
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [
                *[UV, "pip", "install", "--dry-run", "--quiet", "--no-config"],
                *["--python-platform", system, "--python-version", python, "--only-binary", ":all:"],
                *["--require-hashes", "--target", target, "-r", str(ROOT / "requirements.lock")],
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stderr.strip() if done.returncode else ""


def main() -> int:
    failed = 0
    for system, python in product(SYSTEMS, PYTHONS):
        if problem := missing(system, python):
            failed += 1
            print(f"{system}, Python {python}:\n{problem}\n")
    print(f"wheels: {len(SYSTEMS) * len(PYTHONS) - failed} of {len(SYSTEMS) * len(PYTHONS)} systems complete")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
