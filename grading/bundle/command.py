"""`workbench course bundle`: hands out what learners get, and says what it holds."""

from __future__ import annotations

from pathlib import Path

from grading.bundle.branch import commit
from grading.bundle.contents import HELD_BACK, PROJECT, contents
from grading.bundle.folder import Changes, write
from grading.bundle.held_back import leaks


class Leaking(ValueError):
    """Something in the bundle would give a solution away."""


def bundle(root: Path, folder: Path | None, branch: str | None) -> int:
    """To `folder`, or `branch`, or both. The notebooks are the course's in `root`, all else is this project's. 0: done.

    Leaking: nothing was written."""
    if folder is None and branch is None:
        raise ValueError("say where to: --to FOLDER, or --branch NAME, or both")
    texts = contents(PROJECT, root)
    found = leaks(PROJECT, texts)
    if found:
        told = "; ".join(f"{each.path} holds {each.share:.0%} of {each.module}" for each in found[:5])
        raise Leaking(f"nothing was handed out, as it would give solutions away: {told}")
    size = sum(map(len, texts.values())) / 1e6
    print(f"{len(texts)} files, {size:.1f} MB; {len(HELD_BACK)} solutions are held back")
    if folder is not None:
        print(f"{folder}: {said(write(texts, folder))}")
    if branch is not None:
        made, changes = commit(texts, PROJECT, branch)
        print(f"branch {branch}: {said(changes)} ({made[:10]})")
    return 0


def said(changes: Changes) -> str:
    if changes.first:
        return "a first bundle"
    if not changes:
        return "nothing has changed"
    counts = (
        (len(changes.added), "new"),
        (len(changes.changed), "changed"),
        (len(changes.removed), "removed"),
    )
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    kept = "".join(
        f"\n  {path} had been changed; that text is now {beside}" for path, beside in changes.kept.items()
    )
    return told + kept
