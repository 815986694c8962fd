"""A backup is taken: snapshots of all databases, held together, then a dump of each, side by side."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from compose.backup import engine, manifest
from compose.backup.database import TABLES, Snapshot, ask, counting
from compose.backup.errors import BackupError
from compose.backup.manifest import Dump, Manifest

ROUTING = "SELECT json_build_array(epoch, phase, before_move::json, after_move::json) FROM routing"
VERSION = "SELECT string_agg(version_num, ', ' ORDER BY version_num) FROM alembic_version"


def take(folder: Path, project: str) -> Manifest:
    """Into `folder`, which comes to be with all that belongs to it, or not at all. BackupError."""
    if folder.exists():
        raise BackupError(f"{folder} is there already: a backup gets a folder of its own")
    containers = engine.databases(engine.services(project))
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Only its owner may enter it. Whoever is killed leaves it under this name, which is none of a backup.
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial-", dir=folder.parent))
    try:
        taken = _take(partial, project, containers)
        manifest.write(partial, taken)
        _sync(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial)
        raise
    _sync(folder.parent)
    return taken


def _take(folder: Path, project: str, containers: dict[str, str]) -> Manifest:
    with ExitStack() as stack:
        snapshots = {name: stack.enter_context(Snapshot(container)) for name, container in containers.items()}
        began = time.time()
        for snapshot in snapshots.values():
            snapshot.hold()
        for snapshot in snapshots.values():
            snapshot.held()
        held = time.time()
        _nothing_moves(snapshots["store"], containers)
        with ThreadPoolExecutor(len(snapshots)) as pool:
            dumping = {
                name: pool.submit(_dump, snapshot, folder / f"{name}.dump")
                for name, snapshot in snapshots.items()
            }
        dumps = {name: each.result() for name, each in dumping.items()}
    return Manifest(project, began, held, time.time(), dumps)


def _nothing_moves(store: Snapshot, containers: dict[str, str]) -> None:
    """While links go from shard to shard, two snapshots could both lack one. If the routing is stable in the store's
    snapshot, and is the same after all were opened, then none went in between."""
    told = store.ask(ROUTING)
    if told != ask(containers["store"], ROUTING):
        raise BackupError("links began or ended to move to other shards: take the backup again")
    if not told:
        raise BackupError("there is no routing yet: no server has ever started here")
    _, phase, before, after = json.loads(told[0])
    if phase != "stable":
        raise BackupError("links are being moved to other shards: take the backup when that has ended")
    if away := {*before["shards"], *after["shards"]} - set(containers):
        raise BackupError(f"links are on {', '.join(sorted(away))}, which is away: no shard may be missing")


def _dump(snapshot: Snapshot, path: Path) -> Dump:
    tables = snapshot.ask(TABLES)
    if "alembic_version" not in tables:
        raise BackupError(f"{snapshot.container}: its schema has no version; run the service migrate first")
    [version] = snapshot.ask(VERSION)
    [rows] = snapshot.ask(counting(tables))
    size, digest = snapshot.dump(path)
    return Dump(path.name, size, digest, version, json.loads(rows))


def _sync(folder: Path) -> None:
    """The names in it, onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
