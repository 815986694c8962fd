"""Which of the processes that run the tests this is: what they make outside of themselves must not meet."""

import os


def number() -> int:
    """0 where there is only one."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
