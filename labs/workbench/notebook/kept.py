"""Texts that outlive a kernel: a small file beside the notebooks, which those that come later read."""

from __future__ import annotations

import json
import os
from pathlib import Path


def keep(file: str, name: str, text: str, folder: Path | None = None) -> None:
    """Puts `text` under `name` into `file`, beside the notebook unless a folder is given."""
    path = (folder or Path.cwd()) / file
    together = _read(path) | {name: text}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(together, indent=1, ensure_ascii=False) + "\n", "utf-8")
    os.replace(fresh, path)


def kept(file: str, name: str, folder: Path | None = None) -> str | None:
    """What was put there last; None: nothing yet."""
    return _read((folder or Path.cwd()) / file).get(name)


class Shelf(dict[str, str]):
    """A dictionary of texts in such a file: what is put into it is there again after a restart."""

    def __init__(self, file: str, folder: Path | None = None) -> None:
        self.file = file
        self.folder = folder
        super().__init__(_read((folder or Path.cwd()) / file))

    def __setitem__(self, name: str, text: str) -> None:
        keep(self.file, name, text, self.folder)
        super().__setitem__(name, text)


def _read(path: Path) -> dict[str, str]:
    """A file that is not ours is put aside as `….json.unreadable`, not lost."""
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict):
            raise ValueError("no table of texts")
    except FileNotFoundError:
        return {}
    except ValueError:
        os.replace(path, path.with_suffix(".json.unreadable"))
        return {}
    return {name: text for name, text in found.items() if isinstance(text, str)}
