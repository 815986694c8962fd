"""Backup and restore of the store and the shards of a Compose project, while it runs.

python -m compose.backup take DIR       into a new folder DIR: a dump of each database, and a manifest
python -m compose.backup check DIR      whether every file is there, and as it was written
python -m compose.backup restore DIR    into a project that is up and holds no links
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from compose.backup import manifest
from compose.backup.errors import BackupError
from compose.backup.manifest import Manifest
from compose.backup.restore import restore
from compose.backup.take import take


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    try:
        told = _done(options)
    except (BackupError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(told.began))
    print(
        f"{options.verb}: {told.links} links, {told.bytes} bytes, as of {when} UTC; {time.monotonic() - began:.1f} s"
    )
    return 0


def _done(options: argparse.Namespace) -> Manifest:
    match options.verb:
        case "take":
            return take(options.folder, options.project)
        case "check":
            return manifest.read(options.folder)
        case _:
            return restore(options.folder, options.project, overwrite=options.overwrite, say=print)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m compose.backup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="take|check|restore")
    taking = verbs.add_parser("take", help="take a backup into a new folder", description=take.__doc__)
    checking = verbs.add_parser("check", help="is a backup whole?", description=manifest.read.__doc__)
    restoring = verbs.add_parser(
        "restore",
        help="put a backup back",
        description="Checks the backup, fills it into databases beside those that are there, counts every row, "
        "stops the servers, exchanges the databases, empties cache and pool, and starts the servers again.",
    )
    for each in (taking, checking, restoring):
        each.add_argument("folder", type=Path, metavar="DIR")
    for each in (taking, restoring):
        each.add_argument("--project", default="workbench", metavar="NAME", help="of Compose (%(default)s)")
    restoring.add_argument(
        "--overwrite", action="store_true", help="also over databases that hold links: they are lost"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
