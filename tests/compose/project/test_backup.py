"""Backup and restore on real services: taken under load, everything wrecked, and every row is back."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from workbench.chaos.run import Outcome, clicks, links
from workbench.chaos.visitors import DONE, Ledger, Visitors

from compose.backup import manifest
from compose.backup.errors import BackupError
from compose.backup.manifest import Dump
from compose.backup.restore import restore
from compose.backup.take import take
from compose.project import Project
from tests.compose.project.conftest import Running

pytestmark = [pytest.mark.slow, pytest.mark.compose]

DATABASES = ("store", "shard-1", "shard-2", "shard-3")
MOVES_ON = {
    "partition_leases": "the consumer takes its leases anew, and reads the log from its beginning",
    "key_ranges": "skips what may have been allotted since the backup, and keepers allot",
}
CLICKS = {
    "raw_clicks": "the log has clicks that came after the backup",
    "click_counts": "the same clicks, counted",
}

Rows = dict[str, dict[str, list[str]]]
"""By database and table its rows, as COPY writes them, in order."""


class Kept:
    """A project with links, and two backups: `loaded`, taken under load, and `quiet`, of `rows`."""

    def __init__(self, project: Project, base: str, folder: Path) -> None:
        self.project, self.base = project, base
        self.loaded, self.quiet = folder / "loaded", folder / "quiet"
        self.before, self.ledger = Ledger(), Ledger()
        self.rows: Rows = {}
        self.codes: set[str] = set()
        """All that were ever made: handed out, or in the pool."""


@pytest.fixture(scope="module")
def kept(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    found = Kept(running.project, running.http, tmp_path_factory.mktemp("backups"))
    found.project.set("code_strategy", "pool")
    asyncio.run(use_and_take(found))
    found.codes = {*found.ledger.links, *found.ledger.tokens, *found.ledger.deleted} | pool(found.project)
    return found


async def use_and_take(kept: Kept) -> None:
    ledger, stop = kept.ledger, asyncio.Event()
    rates = {"shorten": 20.0, "redirect": 60.0, "stats": 4.0, "delete": 5.0}
    visiting = asyncio.create_task(Visitors(kept.base, ledger, rates).run(stop))
    await asyncio.sleep(4.0)
    kept.before = copy.deepcopy(ledger)
    await asyncio.to_thread(take, kept.loaded, kept.project.name)
    await asyncio.sleep(2.0)
    stop.set()
    await visiting
    print(ledger.details)
    assert ledger.wrong == []
    assert sum(visit.end == DONE for visit in ledger.visits) > 300
    assert len(ledger.links) > len(kept.before.links) > 10
    assert kept.before.deleted
    counted = Outcome("before the backup", [], True, 0.0, 0.0)
    async with httpx.AsyncClient(base_url=kept.base, timeout=5) as client:
        await clicks(client, ledger, 0, counted)
    assert counted.broken == []
    kept.rows = rows(kept.project)
    await asyncio.to_thread(take, kept.quiet, kept.project.name)


def psql(project: Project, service: str, sql: str, database: str = "workbench") -> list[str]:
    argv = ["docker", "exec", "-i", project.container(service), "psql", "-qAtXU", "workbench", database]
    done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()


EACH_TABLE = """
SELECT format('SELECT %L', 'COPY public.' || tablename), format('COPY %I TO STDOUT', tablename), $$SELECT '\\.'$$
FROM pg_tables WHERE schemaname = 'public'
\\gexec
"""
"""Writes the rows of every table as `pg_restore` does. One session: each `docker exec` takes a quarter of a second."""
EACH_DATABASE = "SELECT 'DATABASE ' || datname FROM pg_database ORDER BY 1;"


def told(project: Project) -> dict[str, list[str]]:
    """By database what it says to both, in one session each."""
    with ThreadPoolExecutor(len(DATABASES)) as pool:
        said = pool.map(lambda name: psql(project, name, EACH_DATABASE + EACH_TABLE), DATABASES)
    return dict(zip(DATABASES, said, strict=True))


def rows(project: Project) -> Rows:
    return rows_in(told(project))


def rows_in(said: dict[str, list[str]]) -> Rows:
    found = {name: copied(lines) for name, lines in said.items()}
    assert all(found.values())
    return found


def copied(lines: list[str]) -> dict[str, list[str]]:
    """By table its rows, in order, from what COPY wrote."""
    found: dict[str, list[str]] = {}
    table = ""
    for line in lines:
        if line.startswith("COPY public."):
            table = line.removeprefix("COPY public.").partition(" ")[0]
            found[table] = []
        elif line == "\\.":
            found[table].sort()
            table = ""
        elif table:
            found[table].append(line)
    return found


def dumped(project: Project, folder: Path) -> Rows:
    """The rows in the files of a backup, as PostgreSQL's own program reads them."""
    found: Rows = {}
    for name in DATABASES:
        argv = ["docker", "exec", "-i", project.container(name), "pg_restore", "--data-only", "--file=-"]
        with (folder / f"{name}.dump").open("rb") as file:
            text = subprocess.run(argv, stdin=file, capture_output=True, check=True, timeout=120).stdout
        found[name] = copied(text.decode().splitlines())
    return found


def but(without: dict[str, str], all_rows: Rows) -> Rows:
    return {
        name: {table: found for table, found in tables.items() if table not in without}
        for name, tables in all_rows.items()
    }


def pool(project: Project) -> set[str]:
    """The codes that wait to be handed out."""
    argv = ["docker", "exec", project.container("pool"), "redis-cli", "--raw", "smembers", "pool:unused"]
    return set(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.split())


def put_back(kept: Kept, folder: Path, *, overwrite: bool = False) -> list[str]:
    """What the restore said."""
    said: list[str] = []
    restore(folder, kept.project.name, overwrite=overwrite, say=said.append)
    return said


async def broken(kept: Kept, ledger: Ledger) -> list[str]:
    """Links that were acknowledged, and do not lead to their targets; deleted ones that lead anywhere."""
    found = Outcome("after the restore", [], True, 0.0, 0.0)
    async with httpx.AsyncClient(base_url=kept.base, timeout=5) as client:
        await links(client, ledger, found)
    return found.broken


# --- in the order in which they stand here: the first ones wreck what the later ones find restored


def test_a_backup_is_its_owners_alone_and_whole(kept: Kept) -> None:
    for folder in (kept.loaded, kept.quiet):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        assert set(manifest.read(folder).dumps) == set(DATABASES)
    assert sorted(path.name for path in kept.loaded.parent.iterdir()) == ["loaded", "quiet"]
    with pytest.raises(BackupError, match="is there already"):
        take(kept.quiet, kept.project.name)


def test_a_database_that_holds_links_is_not_overwritten(kept: Kept) -> None:
    with pytest.raises(BackupError, match=r"holds rows in .*: --overwrite if they may go"):
        put_back(kept, kept.quiet)
    assert but(MOVES_ON, rows(kept.project)) == but(MOVES_ON, kept.rows)


def test_every_row_is_back_after_everything_was_wrecked(kept: Kept) -> None:
    kept.project.down()
    kept.project.up()
    deadline = time.monotonic() + 30
    while not pool(kept.project) & kept.codes:  # what a project that starts empty makes anew
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert len(put_back(kept, kept.quiet)) == 3
    after = rows(kept.project)
    assert but(MOVES_ON, after) == but(MOVES_ON, kept.rows)
    assert but(MOVES_ON, after) == but(MOVES_ON, dumped(kept.project, kept.quiet))
    assert sum(len(after[name]["links"]) for name in DATABASES[1:]) > 100
    [now], [then] = (each["store"]["key_ranges"] for each in (after, kept.rows))
    assert int(now.split("\t")[1]) - int(then.split("\t")[1]) >= 864_000_000
    assert set(psql(kept.project, "store", "SELECT datname FROM pg_database WHERE NOT datistemplate")) == {
        "postgres",
        "workbench",
    }


async def settled(kept: Kept) -> None:
    """Until the keeper has filled the pool."""
    async with asyncio.timeout(30):
        while not pool(kept.project):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def test_every_link_leads_to_its_target_and_no_code_comes_twice(kept: Kept) -> None:
    assert asyncio.run(broken(kept, kept.ledger)) == []
    asyncio.run(settled(kept))
    assert pool(kept.project) & kept.codes == set()


def test_a_backup_under_load_has_what_was_acknowledged_before_it(kept: Kept) -> None:
    put_back(kept, kept.loaded, overwrite=True)
    without = MOVES_ON | CLICKS
    after, then = rows(kept.project), dumped(kept.project, kept.loaded)
    assert but(without, after) == but(without, then)
    assert set(after["store"]["raw_clicks"]) >= set(then["store"]["raw_clicks"])
    # In the files are as many rows as the manifest says: they were counted in the snapshot of the dump.
    counted = {name: dump.rows for name, dump in manifest.read(kept.loaded).dumps.items()}
    assert {
        name: {table: len(all_) for table, all_ in found.items()} for name, found in then.items()
    } == counted
    assert asyncio.run(broken(kept, kept.before)) == []
    asyncio.run(settled(kept))
    assert pool(kept.project) & kept.codes == set()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def written_anew(folder: Path, change: Callable[[dict[str, Dump]], object]) -> None:
    was = manifest.read(folder)
    change(was.dumps)
    (folder / manifest.NAME).unlink()
    manifest.write(folder, was)


def of_schema(folder: Path, version: str | None) -> None:
    def change(dumps: dict[str, Dump]) -> None:
        old = dumps.pop("shard-1")
        if version is not None:
            dumps["shard-1"] = Dump(old.file, old.bytes, old.sha256, version, old.rows)

    written_anew(folder, change)


def one_row_more(folder: Path) -> None:
    def change(dumps: dict[str, Dump]) -> None:
        dumps["shard-1"].rows["links"] += 1

    written_anew(folder, change)


def nonsense(folder: Path) -> None:
    """A manifest that is right about a file that is wrong."""

    def change(dumps: dict[str, Dump]) -> None:
        content = b"no dump at all"
        (folder / "shard-1.dump").write_bytes(content)
        was, digest = dumps["shard-1"], hashlib.sha256(content).hexdigest()
        dumps["shard-1"] = Dump(was.file, len(content), digest, was.version, was.rows)

    written_anew(folder, change)


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda at: cut(at / "shard-2.dump"), "shard-2.dump has .* bytes, and had"),
    "a changed byte": (lambda at: flip(at / "shard-3.dump"), "shard-3.dump .* is not as it was written"),
    "missing": (lambda at: (at / "store.dump").unlink(), "store.dump is missing"),
    "another schema": (
        lambda at: of_schema(at, "shard_0"),
        "shard-1 is at version shard_1 here, and the backup's schema is shard_0",
    ),
    "a shard too few": (
        lambda at: of_schema(at, None),
        "the backup is of shard-2, shard-3, store, and here run",
    ),
    "other rows": (
        lambda at: one_row_more(at),
        "after the restore, the rows of links are not as many as before",
    ),
    "no dump at all": (nonsense, "shard-1-1: pg_restore: error"),
}


def untouched(project: Project) -> tuple[Rows, list[str], list[str]]:
    """What a restore that failed must leave as it was: rows, databases, servers that run on."""
    names = [project.container(name) for name in ("app-1", "app-2", "app-3", "consumer", "keeper-1")]
    argv = ["docker", "inspect", "--format", "{{.State.StartedAt}} {{.State.Running}}", *names]
    started = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
    said = told(project)
    databases = [each for lines in said.values() for each in lines if each.startswith("DATABASE ")]
    return but(MOVES_ON, rows_in(said)), databases, started


@pytest.fixture(scope="module")
def standing(kept: Kept) -> tuple[Rows, list[str], list[str]]:
    """What stands before the first of them is tried, and is to stand after each."""
    return untouched(kept.project)


@pytest.mark.parametrize("how", SPOILED)
def test_a_backup_that_is_not_right_changes_nothing(
    kept: Kept, standing: tuple[Rows, list[str], list[str]], how: str, tmp_path: Path
) -> None:
    spoil, said = SPOILED[how]
    folder = tmp_path / "spoiled"
    shutil.copytree(kept.quiet, folder)
    spoil(folder)
    with pytest.raises(BackupError, match=said):
        put_back(kept, folder, overwrite=True)
    assert untouched(kept.project) == standing


def test_no_backup_is_taken_while_links_move(kept: Kept, tmp_path: Path) -> None:
    kept.project.call("pause", "keeper-1")  # or it would end the move at once
    psql(kept.project, "store", "UPDATE routing SET phase = 'moving'")
    try:
        with pytest.raises(BackupError, match="links are being moved"):
            take(tmp_path / "one", kept.project.name)
    finally:
        psql(kept.project, "store", "UPDATE routing SET phase = 'stable'")
        kept.project.call("unpause", "keeper-1")
    assert list(tmp_path.iterdir()) == []


def test_no_backup_is_taken_without_a_shard(kept: Kept, tmp_path: Path) -> None:
    kept.project.kill("shard-2")
    try:
        with pytest.raises(BackupError, match="links are on shard-2, which is away"):
            take(tmp_path / "one", kept.project.name)
    finally:
        kept.project.start("shard-2")
    assert list(tmp_path.iterdir()) == []


# --- PostgreSQL is killed in between

BALLAST = """
INSERT INTO links SELECT 'ballast-' || n, 'https://example.com/' || md5(n::text), 0, 9e9, md5(n::text), '', NULL, 0
FROM generate_series(1, 300000) AS n"""
"""So that a dump of this shard takes seconds."""


def killing(project: Project, service: str, when: Callable[[], bool]) -> threading.Thread:
    def wait() -> None:
        deadline = time.monotonic() + 60
        while not when():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        project.kill(service)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def heavy(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup that takes long to restore."""
    psql(kept.project, "shard-2", BALLAST)
    folder = tmp_path_factory.mktemp("heavy") / "one"
    take(folder, kept.project.name)
    return folder


def test_a_database_that_is_killed_leaves_no_backup(kept: Kept, heavy: Path, tmp_path: Path) -> None:
    def begun() -> bool:
        return any(path.stat().st_size for path in tmp_path.glob("*.partial-*/shard-2.dump"))

    killer = killing(kept.project, "shard-2", begun)
    try:
        with pytest.raises(BackupError, match="shard-2"):
            take(tmp_path / "one", kept.project.name)
    finally:
        killer.join()
        kept.project.start("shard-2")
    assert list(tmp_path.iterdir()) == []
    take(tmp_path / "one", kept.project.name)
    assert manifest.read(tmp_path / "one").links == manifest.read(heavy).links


def test_a_database_that_is_killed_is_not_half_restored(kept: Kept, heavy: Path) -> None:
    before = untouched(kept.project)

    def begun() -> bool:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'workbench_restored' AND query LIKE 'COPY%'"
        return psql(kept.project, "shard-2", asked) != ["0"]

    killer = killing(kept.project, "shard-2", begun)
    try:
        with pytest.raises(BackupError, match="shard-2"):
            put_back(kept, heavy, overwrite=True)
    finally:
        killer.join()
        kept.project.start("shard-2")
    left = untouched(kept.project)
    assert (left[0], left[2]) == (before[0], before[2])
    put_back(kept, heavy, overwrite=True)
    after = untouched(kept.project)
    assert after[1] == before[1]  # what the failed one left has gone
    assert json.dumps(after[0]) == json.dumps(before[0])
