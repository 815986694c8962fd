"""A Dask cluster that judges: for classes that would keep one machine busy for hours.

The machines of the cluster need this project, of the same version, and nothing of the course: they get a component, a
slot and seeds, and give back a verdict. The gradebook is written here.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from typing import Any

from grading.nbgrader.verdicts import judge_digest

LOCAL = "local"
PATIENCE = 10.0
"""Seconds to reach a scheduler in."""


class ClusterError(RuntimeError):
    """The cluster cannot be used; the message says why."""


@contextmanager
def cluster(scheduler: str, workers: int) -> Iterator[Executor]:
    """`scheduler`: its address, such as tcp://10.0.0.1:8786; or "local": a cluster of `workers` on this machine.

    ClusterError: nobody answers there, it has no workers, or some worker's judge is not the one that is here.
    """
    distributed: Any = importlib.import_module(
        "distributed"
    )  # takes a third of a second, and most courses do without

    for name in ("distributed", "distributed.worker", "distributed.scheduler", "distributed.nanny"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        where: Any = scheduler
        if scheduler == LOCAL:
            where = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=None, memory_limit=0
                )
            )
        try:
            client = stack.enter_context(distributed.Client(where, timeout=PATIENCE, set_as_default=False))
        except (OSError, ValueError) as error:
            raise ClusterError(f"no Dask scheduler answers at {scheduler}: {error}") from error
        of_workers = client.run(judge_digest)
        if not of_workers:
            raise ClusterError(f"the cluster at {scheduler} has no workers: start some with `dask worker`")
        others = sorted(name for name, digest in of_workers.items() if digest != judge_digest())
        if others:
            raise ClusterError(
                f"another version of the judge is on {', '.join(others)}: marks would depend on who judged"
            )
        yield client.get_executor(pure=False)
