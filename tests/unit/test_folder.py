"""What the tests of a folder share is there for all of them, and gone before the next folder's tests begin."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.folder import SharedInFolder

HERE = Path("tests/somewhere")


def item(path: str) -> Any:
    return SimpleNamespace(path=Path(path))


def test_it_is_started_once_and_ended_before_a_test_outside() -> None:
    told: list[str] = []

    @contextmanager
    def start() -> Iterator[str]:
        told.append("started")
        yield "stack"
        told.append("ended")

    shared = SharedInFolder(HERE, start)
    shared.leave_before(item("tests/somewhere/test_a.py"))
    assert told == []
    assert shared.get() == shared.get() == "stack"
    shared.leave_before(item("tests/somewhere/below/test_b.py"))
    assert told == ["started"]
    shared.leave_before(item("tests/somewhere_else/test_c.py"))
    assert told == ["started", "ended"]
    assert shared.get() == "stack"
    shared.leave_before(None)
    assert told == ["started", "ended"] * 2
