"""A backup is put back: checked, filled into databases beside those that are there, counted, and only then exchanged.

So nothing is changed until every row is back. While the databases are exchanged, no server runs: what they know of
codes, leases and routing is no longer so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from compose.backup import engine, manifest, renewal
from compose.backup.database import DATABASE, ask, fill, rows, version
from compose.backup.errors import BackupError
from compose.backup.manifest import Dump, Manifest

BESIDE, BEFORE = f"{DATABASE}_restored", f"{DATABASE}_before"
"""The names of a database that is being filled, and of the one in whose place it came until all have."""
OWNED = {"store": ("principals", "click_counts", "audit_log"), "shard": ("links",)}
"""Tables that nobody would want to lose."""
EMPTIED = ("cache", "pool")
"""What must not outlive the databases: answers by links that are gone, codes that were given to them."""
EXCHANGES = 20
PAUSE = 0.25
"""Seconds until an exchange is tried again, if somebody has connected in between."""


def restore(folder: Path, project: str, *, overwrite: bool, say: Callable[[str], None]) -> Manifest:
    """BackupError: nothing has been changed, unless it says so. `say`: is told how far it is."""
    taken = manifest.read(folder)
    running = engine.services(project)
    containers = engine.databases(running)
    if away := [name for name in EMPTIED if name not in running]:
        raise BackupError(f"{', '.join(away)} is away, and has to be emptied")
    _check(taken, containers)
    if not overwrite:
        _check_empty(containers)
    say(f"the backup is whole: {taken.links} links, {taken.bytes} bytes")
    with ThreadPoolExecutor(len(containers)) as pool:
        filling = [
            pool.submit(_beside, containers[name], folder / dump.file, dump)
            for name, dump in taken.dumps.items()
        ]
    try:
        for each in filling:
            each.result()
        ask(containers["store"], renewal.statements(taken.began, time.time()), BESIDE)
    except BackupError:
        _tidy(containers)
        raise
    say("every row is back, beside what is there")
    servers = engine.servers(running)
    engine.stop(servers)
    if not overwrite:
        try:
            _check_empty(containers)  # once more: now nobody makes links any more
        except BackupError:
            engine.start(servers)
            _tidy(containers)
            raise
    try:
        for container in containers.values():
            _exchange(container)
        for name in EMPTIED:
            engine.docker("exec", running[name], "redis-cli", "flushall")
    except BackupError as error:
        raise BackupError(
            f"{error}\nSome databases may be restored and others not, and the servers are stopped: restore again, "
            f"with --overwrite. What was there is still there, as the database {BEFORE}"
        ) from error
    say("the databases are exchanged, cache and pool are empty")
    engine.start(servers)
    for container in containers.values():
        ask(container, f"DROP DATABASE {BEFORE} WITH (FORCE)", "postgres")
    return taken


def _check(taken: Manifest, containers: dict[str, str]) -> None:
    if set(taken.dumps) != set(containers):
        raise BackupError(
            f"the backup is of {', '.join(sorted(taken.dumps))}, and here run {', '.join(sorted(containers))}"
        )
    for name, dump in taken.dumps.items():
        if (here := version(containers[name])) != dump.version:
            raise BackupError(
                f"{name} is at version {here or 'none'} here, and the backup's schema is {dump.version}: restore it "
                "into the release that it was taken from, then migrate"
            )


def _check_empty(containers: dict[str, str]) -> None:
    for name, container in containers.items():
        for table in OWNED[name.partition("-")[0]]:
            if ask(container, f"SELECT 1 FROM {table} LIMIT 1"):
                raise BackupError(
                    f"{name} holds rows in {table}: --overwrite if they may go, and all else with them"
                )


def _beside(container: str, path: Path, dump: Dump) -> None:
    # WITH (FORCE): what an earlier attempt left may still be at work.
    ask(container, f"DROP DATABASE IF EXISTS {BESIDE} WITH (FORCE)", "postgres")
    ask(container, f"CREATE DATABASE {BESIDE} TEMPLATE template0", "postgres")
    fill(container, BESIDE, path)
    if (found := rows(container, BESIDE)) != dump.rows:
        differ = sorted(table for table in {*found, *dump.rows} if found.get(table) != dump.rows.get(table))
        raise BackupError(
            f"{path}: after the restore, the rows of {', '.join(differ)} are not as many as before"
        )
    ask(container, "ANALYZE", BESIDE)


def _tidy(containers: dict[str, str]) -> None:
    """As far as they answer; what is left then goes before the next attempt."""
    for container in containers.values():
        with suppress(BackupError):
            ask(container, f"DROP DATABASE IF EXISTS {BESIDE} WITH (FORCE)", "postgres")


def _exchange(container: str) -> None:
    """In one transaction: there is always a database of that name."""
    ask(container, f"DROP DATABASE IF EXISTS {BEFORE} WITH (FORCE)", "postgres")
    for attempt in range(EXCHANGES):
        try:
            ask(
                container,
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}';\n"
                f"BEGIN;\nALTER DATABASE {DATABASE} RENAME TO {BEFORE};\n"
                f"ALTER DATABASE {BESIDE} RENAME TO {DATABASE};\nCOMMIT;\n",
                "postgres",
            )
            return
        except BackupError as error:
            if "accessed by other users" not in str(error) or attempt == EXCHANGES - 1:
                raise
            time.sleep(PAUSE)  # an exporter, say, that connects again at once
