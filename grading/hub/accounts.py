"""Who is in the class, and the password that each was given: `python -m grading.hub.accounts` lists them.

A password follows from the hub's secret and the name. So there is nothing to sign up for, none to choose badly, none
to take before its owner does, and one that was lost is looked up. Sixty bits: they are not guessed over a network.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import re
import sys
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9]{0,31}")
"""What can stand in the name of a container, a volume and a folder as it is."""


def names(path: Path) -> list[str]:
    """One in each line; what follows a # is for people. ValueError: a name that cannot be one."""
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    found = list(dict.fromkeys(line for line in lines if line))
    for name in found:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name for the hub: a letter, then letters and digits, all of a to z"
            )
    return found


def password(secret: bytes, name: str) -> str:
    """Such as `k3fd-qz2a-7mve`."""
    digest = hmac.new(secret, name.encode(), hashlib.sha256).digest()
    text = base64.b32encode(digest).decode().lower()
    return "-".join(text[start : start + 4] for start in (0, 4, 8))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m grading.hub.accounts", description=__doc__)
    parser.add_argument("learners", type=Path, help="a file with a name in each line")
    parser.add_argument("--names", action="store_true", help="only these, without passwords")
    parser.add_argument("--secret", type=Path, help="the hub's, from which passwords follow")
    parser.add_argument("--instructor", action="append", default=[], help="one more name")
    args = parser.parse_args()
    if args.names == bool(args.secret):
        parser.error("--names, or --secret FILE")
    try:
        found = [*args.instructor, *names(args.learners)]
    except (OSError, ValueError) as error:
        parser.error(str(error))
    secret = b"" if args.names else args.secret.read_bytes()
    for name in found:
        print(name if args.names else f"{name},{password(secret, name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
