"""What a backup says of itself, and that nothing else is taken for one. The rest is in
tests/compose/project/test_backup.py."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from compose.backup import engine, manifest
from compose.backup.__main__ import main
from compose.backup.errors import BackupError
from compose.backup.manifest import Dump, Manifest
from compose.backup.renewal import statements

STORE, SHARD = b"what the store held", b"what the shard held"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    folder.mkdir()
    dumps = {}
    for name, content, rows in (("store", STORE, {"routing": 1}), ("shard-1", SHARD, {"links": 7})):
        (folder / f"{name}.dump").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        dumps[name] = Dump(f"{name}.dump", len(content), digest, "version_1", rows)
    manifest.write(folder, Manifest("some", 1000.5, 1000.75, 1002.0, dumps))
    return folder


def test_what_was_written_is_read(backup: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = manifest.read(backup)
    assert (found.project, found.began, found.links) == ("some", 1000.5, 7)
    assert found.bytes == len(STORE) + len(SHARD)
    assert stat.S_IMODE((backup / "manifest.json").stat().st_mode) == 0o600
    assert main(["check", str(backup)]) == 0
    assert capsys.readouterr().out.startswith("check: 7 links, 38 bytes, as of 1970-01-01 00:16:40 UTC; ")


def edited(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file is shorter": (
        lambda at: edited(at / "store.dump", lambda was: was[:-1]),
        "store.dump has 18 bytes, and had 19",
    ),
    "a file is longer": (
        lambda at: edited(at / "store.dump", lambda was: was + b"!"),
        "store.dump has 20 bytes, and had 19",
    ),
    "a byte is another one": (
        lambda at: edited(at / "shard-1.dump", lambda was: b"W" + was[1:]),
        "shard-1.dump .* is not as it was written",
    ),
    "a file is missing": (lambda at: (at / "shard-1.dump").unlink(), "shard-1.dump is missing"),
    "it was never finished": (
        lambda at: (at / "manifest.json").unlink(),
        "is no backup, or one that was never finished",
    ),
    "the manifest is cut": (
        lambda at: edited(at / "manifest.json", lambda was: was[: len(was) // 2]),
        "manifest.json cannot be read",
    ),
    "the manifest is no text": (
        lambda at: (at / "manifest.json").write_bytes(b"\xff\xfe"),
        "manifest.json cannot be read",
    ),
    "the manifest is something else": (
        lambda at: (at / "manifest.json").write_text("[]", "utf-8"),
        "manifest.json is not as it was written",
    ),
    "a figure of the manifest is another one": (
        lambda at: edited(at / "manifest.json", lambda was: was.replace(b"1000.5", b"2000.5")),
        "manifest.json is not as it was written",
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_backup_that_is_not_whole_is_refused(
    backup: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, said = SPOILED[how]
    spoil(backup)
    with pytest.raises(BackupError, match=said):
        manifest.read(backup)
    assert main(["check", str(backup)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_manifest_of_another_format_is_refused(backup: Path) -> None:
    path = backup / "manifest.json"
    told = json.loads(path.read_text("utf-8")) | {"format": 2}
    del told["sha256"]
    path.write_text(json.dumps(told | {"sha256": manifest.digest_of(told)}), "utf-8")
    with pytest.raises(BackupError, match="is of format 2; this program knows 1"):
        manifest.read(backup)


@pytest.mark.parametrize("verb", ["take", "check", "restore"])
def test_each_verb_says_what_it_does(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert "BackupError" in capsys.readouterr().out or verb == "restore"


def test_numbers_that_may_have_been_allotted_since_are_skipped() -> None:
    assert "next_number + 864000000," in statements(1000.0, 1000.0)
    assert "next_number + 864100000," in statements(1000.0, 1010.0)
    assert "next_number + 864000000," in statements(1000.0, 900.0)  # a clock that was put back


def test_databases_are_the_store_and_the_shards_and_not_their_exporters() -> None:
    running = {name: f"x-{name}-1" for name in ("app-1", "shard-10", "shard-2", "shard-2-exporter", "store")}
    assert list(engine.databases(running | {"store-exporter": "y"})) == ["store", "shard-10", "shard-2"]
    for away in ("store", "shard"):
        with pytest.raises(BackupError, match="may be away"):
            engine.databases({name: each for name, each in running.items() if not name.startswith(away)})
