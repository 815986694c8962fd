"""A stack of containers that the workbench steers, started once for all tests of this folder. The last one ends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workbench.stack import Stack
from workbench.stack.containers.engine import missing

from tests.folder import SharedInFolder
from tests.stack.clients import mend_all

SHARED = SharedInFolder(
    Path(__file__).parent,
    lambda: Stack(profile="compose", settings={"spare_shards": 1, "click_buffer": 500}),
)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    SHARED.leave_before(nextitem)


@pytest.fixture(scope="session")
def running() -> Stack:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    return SHARED.get()


@pytest.fixture
def stack(running: Stack) -> Iterator[Stack]:
    yield running
    mend_all(running)
