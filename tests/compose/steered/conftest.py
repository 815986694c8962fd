"""A stack of containers that the workbench steers, started once for all tests of this folder. The last one ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from workbench.stack import Stack
from workbench.stack.containers.engine import missing

from tests.stack.clients import mend_all


@pytest.fixture(scope="package")
def running() -> Iterator[Stack]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with Stack(profile="compose", settings={"spare_shards": 1, "click_buffer": 500}) as stack:
        yield stack


@pytest.fixture
def stack(running: Stack) -> Iterator[Stack]:
    yield running
    mend_all(running)
