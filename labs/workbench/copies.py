"""The learner's own copy of the notebooks, and what an update of the project does to it: it overwrites no work.

Beside the copy lies a note of what each file was when it was copied. So an update can tell what it may replace (nobody
has touched it) from what somebody has worked in: there the new version is put beside it, and both are named.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

COPIED = ("*.ipynb", "*/*.ipynb", "*/*.md")
NOTE = ".copied.json"
"""In the folder of the copy: path -> SHA-256 of what was copied."""


@dataclass(slots=True)
class Copied:
    """Paths of the copy. `beside`: of a file that was kept, to where its new version lies."""

    added: list[Path] = field(default_factory=list)
    replaced: list[Path] = field(default_factory=list)
    beside: dict[Path, Path] = field(default_factory=dict)

    def text(self, work: Path) -> str:
        """A few lines for whoever opens the lab; empty if nothing was new."""
        counts = ((len(self.added), "new"), (len(self.replaced), "brought up to date"))
        lines = [", ".join(f"{count} {what}" for count, what in counts if count)]
        for mine, new in self.beside.items():
            lines.append(
                f"{mine.relative_to(work)} has a new version. Yours stays; the new one is {new.name}"
            )
        return "\n".join(line for line in lines if line)


def copy_notebooks(labs: Path, work: Path) -> Copied:
    """Brings what `labs` holds into `work`, whatever is in the way there, and says what it did."""
    noted = _read(work / NOTE)
    found = Copied()
    for source in sorted(path for pattern in COPIED for path in labs.glob(pattern)):
        name = source.relative_to(labs).as_posix()
        target, now = work / name, _hash(source)
        was, noted[name] = noted.get(name), now
        if not target.exists() and not target.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            found.added.append(target)
        elif was in (None, now) or not target.is_file() or _hash(target) == now:
            continue  # nothing new, or a copy from before there were notes
        elif _hash(target) == was:
            found.replaced.append(target)
        else:
            mine, target = target, _unused(target)
            found.beside[mine] = target
        shutil.copyfile(source, target)
    if noted:
        (work / NOTE).write_text(json.dumps(noted, indent=0, sort_keys=True) + "\n", "utf-8")
    return found


def _unused(path: Path) -> Path:
    number, found = 1, path.with_name(f"{path.stem}.new{path.suffix}")
    while found.exists() or found.is_symlink():
        number += 1
        found = path.with_name(f"{path.stem}.new-{number}{path.suffix}")
    return found


def _read(note: Path) -> dict[str, str]:
    try:
        told = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
