"""What a backup says of itself: a file of JSON beside the dumps, written last, and checked first."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compose.backup.errors import BackupError

NAME = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Dump:
    """Of one database. `version`: of its schema. `rows`: by table."""

    file: str
    bytes: int
    sha256: str
    version: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`began`: POSIX seconds, before the first snapshot; `held`: when all were; `ended`. `dumps`: by database."""

    project: str
    began: float
    held: float
    ended: float
    dumps: dict[str, Dump]

    @property
    def bytes(self) -> int:
        return sum(dump.bytes for dump in self.dumps.values())

    @property
    def links(self) -> int:
        return sum(dump.rows.get("links", 0) for dump in self.dumps.values())


def write(folder: Path, manifest: Manifest) -> None:
    told = {"format": FORMAT, **asdict(manifest)}
    told["sha256"] = digest_of(told)
    with os.fdopen(
        os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(told, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path) -> Manifest:
    """BackupError, unless every file is there and as it was written."""
    manifest = _read(folder)
    for name, dump in manifest.dumps.items():
        path = folder / dump.file
        if not path.is_file():
            raise BackupError(f"{path} is missing: this backup cannot be used")
        if (size := path.stat().st_size) != dump.bytes:
            raise BackupError(f"{path} has {size} bytes, and had {dump.bytes}: this backup cannot be used")
        if _sha256(path) != dump.sha256:
            raise BackupError(f"{path} ({name}) is not as it was written: this backup cannot be used")
    return manifest


def _read(folder: Path) -> Manifest:
    path = folder / NAME
    try:
        told = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BackupError(
            f"{folder} is no backup, or one that was never finished: it has no {NAME}"
        ) from error
    except (OSError, ValueError) as error:
        raise BackupError(f"{path} cannot be read: {error}") from error
    if not isinstance(told, dict) or told.pop("sha256", None) != digest_of(told):
        raise BackupError(f"{path} is not as it was written: this backup cannot be used")
    if (kind := told.pop("format", None)) != FORMAT:
        raise BackupError(f"{path} is of format {kind!r}; this program knows {FORMAT}")
    dumps = {name: Dump(**dump) for name, dump in told.pop("dumps").items()}
    return Manifest(dumps=dumps, **told)


def digest_of(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
