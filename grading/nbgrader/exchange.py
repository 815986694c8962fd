"""nbgrader's exchange, where each folder was made by a learner: links are not followed, and what is missing is borne.

A link that is followed is read with the instructor's rights, and could hand in the instructor's own solution.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.utils import ignore_patterns, parse_utc


def not_plain(folder: str, names: list[str]) -> set[str]:
    """Those of `names` in `folder` that are neither ordinary files nor folders: links, pipes, devices.

    An `ignore` function for shutil.copytree.
    """
    paths = {name: Path(folder, name) for name in names}
    return {
        name for name, path in paths.items() if path.is_symlink() or not (path.is_file() or path.is_dir())
    }


class CollectPlainFiles(ExchangeCollect):  # type: ignore[misc]
    """nbgrader's collect, but for links and what `CourseDirectory.include` and `max_file_size` leave out."""

    def do_copy(self, src: str, dest: str, log: object = None) -> None:
        unwanted = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )

        def ignore(folder: str, names: list[str]) -> set[str]:
            special = not_plain(folder, names)
            for name in sorted(special):
                self.log.warning(
                    "not collected, since it is no ordinary file: %s", os.path.join(folder, name)
                )
            return special | set(unwanted(folder, [name for name in names if name not in special]))

        if Path(src).is_symlink():
            self.log.warning("not collected, since it is a link: %s", src)
            return
        shutil.copytree(src, dest, ignore=ignore)
        self._check_timestamp(Path(dest, "timestamp.txt"))

    def _check_timestamp(self, path: Path) -> None:
        """The learner could have written this file too; one that is no time would stop the grading of its folder."""
        try:
            if path.exists():
                parse_utc(path.read_text("utf-8").strip())
        except (ValueError, OverflowError):
            self.log.warning("not a time, so left out: %s", path)
            path.unlink()


class ReleaseAllFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]
    """nbgrader's release of feedback, which one submission without nbgrader's two notes would stop for the class.

    Where a page may be fetched follows from the secret that `nbgrader submit` left with the learner. Who handed in
    by other ways, or removed it, cannot fetch the page; the instructor has it.
    """

    def copy_files(self) -> None:
        for page in sorted(Path(self.coursedir.root).glob(f"{self._feedback()}/*.html")):
            for name, text in (
                ("timestamp.txt", "unknown"),
                ("submission_secret.txt", secrets.token_hex(64)),
            ):
                note = page.with_name(name)
                if not note.is_file() or not _readable(note):
                    note.unlink(missing_ok=True)
                    note.write_text(text, "utf-8")
        super().copy_files()

    def _feedback(self) -> str:
        return os.path.join(self.coursedir.feedback_directory, "*", self.coursedir.assignment_id)


def _readable(path: Path) -> bool:
    try:
        return bool(path.read_text("utf-8").strip())
    except (OSError, ValueError):
        return False
