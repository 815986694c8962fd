"""A bundle as a folder; and what an update of it changes, leaves alone, and says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MANIFEST = ".bundle.json"
"""In the folder: what the bundle put there, by path, as the SHA-256 of each file."""

CHANGES = "CHANGES.md"


class NotABundle(ValueError):
    """The folder holds something else already."""


@dataclass(slots=True)
class Changes:
    """Paths in the bundle. `kept`: changed by whoever has the folder; their text stays beside the new one."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    first: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def text(self) -> str:
        """As Markdown; notebooks first, for they are what a learner looks at."""
        if self.first:
            return "# What has changed\n\nThis is the first version that you were given.\n"
        if not self:
            return "# What has changed\n\nNothing since the version before.\n"
        lines = ["# What has changed since the version before", ""]
        lines += ["Your work lies in `work/`, and no update writes there.", ""]
        for title, paths in (
            ("New", self.added),
            ("Changed", self.changed),
            ("No longer there", self.removed),
        ):
            if paths:
                ordered = sorted(paths, key=lambda path: (not path.endswith(".ipynb"), path))
                lines += [f"## {title}", "", *(f"- `{path}`" for path in ordered), ""]
        if self.kept:
            lines += ["## Changed by you as well", ""]
            lines += [
                f"- `{path}`: yours is now `{beside}`" for path, beside in sorted(self.kept.items())
            ] + [""]
        return "\n".join(lines).rstrip() + "\n"


def differences(before: Mapping[str, str], texts: Mapping[str, bytes]) -> Changes:
    """From an earlier manifest to the `texts` of a bundle."""
    now = manifest(texts)
    return Changes(
        added=[path for path in now if path not in before],
        changed=[path for path in now if path in before and before[path] != now[path]],
        removed=[path for path in before if path not in now],
        first=not before,
    )


def manifest(texts: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in sorted(texts.items())}


def manifest_text(texts: Mapping[str, bytes]) -> str:
    """What MANIFEST holds."""
    return json.dumps(manifest(texts), indent=0) + "\n"


def write(texts: Mapping[str, bytes], folder: Path) -> Changes:
    """Puts a bundle into `folder`: a new one, an empty one, or one with an earlier bundle, which it brings up to date.

    What the bundle did not put there stays: `work/`, above all. What it did, and somebody has changed since, is kept
    under another name. NotABundle: the folder holds files, and no bundle.
    """
    noted = folder / MANIFEST
    if noted.is_file():
        before = json.loads(noted.read_text("utf-8"))
    elif folder.exists() and any(folder.iterdir()):
        raise NotABundle(f"{folder} holds something that is no bundle: name a new folder, or an empty one")
    else:
        before = {}
    changes = differences(before, texts)
    for path in [*changes.added, *changes.changed, *changes.removed]:
        target = folder / path
        if target.is_file() and _hash(target.read_bytes()) not in (before.get(path), _hash(texts.get(path))):
            beside = _unused(target)
            target.rename(beside)
            changes.kept[path] = beside.relative_to(folder).as_posix()
    for path in changes.removed:
        (folder / path).unlink(missing_ok=True)
    for path, data in texts.items():
        target = folder / path
        if path in changes.added or path in changes.changed or not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    (folder / CHANGES).write_text(changes.text(), "utf-8")
    noted.write_text(manifest_text(texts), "utf-8")
    return changes


def _hash(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def _unused(path: Path) -> Path:
    """Beside `path`, with `.yours` in its name."""
    number, found = 1, path.with_name(f"{path.stem}.yours{path.suffix}")
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}.yours-{number}{path.suffix}")
    return found
