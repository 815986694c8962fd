"""A bundle as a commit on a branch of its own: learners pull it, and its history holds nothing but bundles."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from grading.bundle.folder import CHANGES, MANIFEST, Changes, differences, manifest_text


class GitError(RuntimeError):
    """Git is not there, or would not."""


def commit(texts: Mapping[str, bytes], repository: Path, name: str) -> tuple[str, Changes]:
    """A commit of `texts` on the branch `name`, on top of the bundle that is there; its hash, and what it changes.

    Touches neither the working tree nor the index. GitError: no repository, or the branch holds something else.
    """
    ref = f"refs/heads/{name}"
    _git(repository, "check-ref-format", ref)
    parent = _git(repository, "rev-parse", "--verify", "--quiet", ref, fails="")
    before: dict[str, str] = {}
    if parent:
        noted = _git(repository, "show", f"{parent}:{MANIFEST}", fails="")
        if not noted:
            raise GitError(f"the branch {name} is there, and holds no bundle: choose another name")
        before = json.loads(noted)
    changes = differences(before, texts)
    if parent and not changes:
        return parent, changes
    whole = {
        **texts,
        CHANGES: changes.text().encode(),
        MANIFEST: manifest_text(texts).encode(),
    }
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        entries = []
        for path, data in whole.items():
            blob = _git(repository, "hash-object", "-w", "--stdin", input=data)
            entries.append(f"100644 {blob}\t{path}\n")
        _git(repository, "update-index", "--index-info", input="".join(entries).encode(), env=index)
        tree = _git(repository, "write-tree", env=index)
    parents = ["-p", parent] if parent else []
    told = "The bundle for learners" if not parent else "The bundle for learners, brought up to date"
    made = _git(repository, "commit-tree", tree, *parents, "-m", told)
    _git(repository, "update-ref", ref, made, parent or "0" * 40)
    return made, changes


def _git(
    repository: Path,
    *arguments: str,
    input: bytes | None = None,
    env: Mapping[str, str] | None = None,
    fails: str | None = None,
) -> str:
    """What git prints. `fails`: what to return if it will not; else GitError."""
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments],
            input=input,
            capture_output=True,
            check=False,
            env={**os.environ, **(env or {})},
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed") from error
    if done.returncode and fails is None:
        raise GitError(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return fails or "" if done.returncode else done.stdout.decode("utf-8").strip()
