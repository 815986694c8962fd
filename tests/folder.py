"""What the tests of a folder share, and the last of them ends.

pytest's scope "package" is for folders with an `__init__.py`: in others it lasts until the session ends.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Generic, TypeVar

import pytest

T = TypeVar("T")


class SharedInFolder(Generic[T]):
    """`start` is entered for the first test that asks, and left before a test outside of `folder` begins."""

    def __init__(self, folder: Path, start: Callable[[], AbstractContextManager[T]]) -> None:
        self._folder, self._start = folder, start
        self._began = ExitStack()
        self._value: list[T] = []

    def get(self) -> T:
        if not self._value:
            self._value.append(self._began.enter_context(self._start()))
        return self._value[0]

    def leave_before(self, following: pytest.Item | None) -> None:
        """To be called after each test's own teardown."""
        if following is None or self._folder not in following.path.parents:
            self._value.clear()
            self._began.close()
