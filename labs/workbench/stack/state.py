"""Where running stacks are found: `~/.workbench/stacks/NAME/state.json`, or below `$WORKBENCH_HOME`.

The file holds the token of the control API, so it can be read by its owner only. It stands while the stack runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class StackState:
    """`pid` and `created` (POSIX seconds) together name the supervisor: a process id alone may be used again."""

    name: str
    case: str
    profile: str
    pid: int
    created: float
    control: int
    token: str
    url: str
    data: str

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            return bool(
                process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - self.created) < 2
            )
        except psutil.Error:
            return False


def home() -> Path:
    return Path(os.environ.get("WORKBENCH_HOME") or Path.home() / ".workbench")


def folder_of(name: str) -> Path:
    """ValueError if `name` cannot be a folder's name on every system."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"a stack's name has letters, digits, '.', '_' and '-' only, not {name!r}")
    return home() / "stacks" / name


def write(state: StackState) -> None:
    """In one step: nobody reads half a file."""
    folder = folder_of(state.name)
    handle, temporary = tempfile.mkstemp(dir=folder)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(state), file)
    Path(temporary).replace(folder / "state.json")


def read(name: str) -> StackState | None:
    """None: there is no such stack, or it is still starting."""
    try:
        found: dict[str, Any] = json.loads((folder_of(name) / "state.json").read_text("utf-8"))
        return StackState(**found)
    except (OSError, ValueError, TypeError):
        return None


def all_states() -> list[StackState]:
    """Those that run and those that a crash of the machine left behind (`alive()` tells)."""
    stacks = home() / "stacks"
    if not stacks.is_dir():
        return []
    return [state for folder in sorted(stacks.iterdir()) if (state := read(folder.name)) is not None]


def claim(name: str) -> Path:
    """Makes the stack's folder (0700), clearing what a dead stack left. FileExistsError if one of that name runs."""
    folder = folder_of(name)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        _write_owner(folder)
        return folder
    owner = _owner(folder)
    if owner is not None and _runs(*owner):
        raise FileExistsError(f"a stack named {name!r} is running already")
    clear(name)
    folder.mkdir(mode=0o700)
    _write_owner(folder)
    return folder


def clear(name: str) -> None:
    """Removes what a stack that is no more has left on disk."""
    state = read(name)
    if state is not None:
        shutil.rmtree(state.data, ignore_errors=True)
    shutil.rmtree(folder_of(name), ignore_errors=True)


def _write_owner(folder: Path) -> None:
    me = psutil.Process()
    (folder / "owner").write_text(f"{me.pid} {me.create_time()}", "utf-8")


def _owner(folder: Path) -> tuple[int, float] | None:
    try:
        pid, created = (folder / "owner").read_text("utf-8").split()
        return int(pid), float(created)
    except (OSError, ValueError):
        return None


def _runs(pid: int, created: float) -> bool:
    try:
        return bool(abs(psutil.Process(pid).create_time() - created) < 2)
    except psutil.Error:
        return False
