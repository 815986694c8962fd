"""Shared by all tests: async on asyncio only; green is quiet (house rule 10); `--no-skip` for the full lane."""

import logging
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import settings

settings.register_profile("workbench", derandomize=True, database=None, deadline=None)
settings.load_profile("workbench")  # the same examples on every machine; nothing is kept between runs


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skip", action="store_true", help="a skipped test fails: for a full machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Under --no-skip a skip is a failure that carries the skip's reason."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skip"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing may skip here: {report.longrepr}"
    return report


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_error_records(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test fails if anything logged at ERROR meanwhile, unless it is marked `logs_errors`."""
    seen: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.name}: {record.getMessage()}")

    handler = Collect(logging.ERROR)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
    if seen and not request.node.get_closest_marker("logs_errors"):
        pytest.fail("logged at ERROR:\n" + "\n".join(seen), pytrace=False)


@pytest.fixture(autouse=True, scope="session")
def no_process_left_behind() -> Iterator[None]:
    """The session fails if a process that it started outlives it."""
    me = psutil.Process()
    before = set(me.children(recursive=True))
    yield
    started = [p for p in me.children(recursive=True) if p not in before]
    _, alive = psutil.wait_procs(started, timeout=5)
    left = [f"{p.pid} {' '.join(p.cmdline())[:150]}" for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    assert left == [], "processes left behind:\n" + "\n".join(left)
