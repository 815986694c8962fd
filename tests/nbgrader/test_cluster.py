"""A Dask cluster that judges. That it gives the same marks, the cycle's tests show; here: what can be wrong with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from grading.nbgrader import cluster as module
from grading.nbgrader.cluster import ClusterError, cluster

SCHEDULER = """
import sys
from distributed import LocalCluster
from grading.nbgrader import verdicts

if __name__ == "__main__":
    verdicts.JUDGE = {judge}
    with LocalCluster(n_workers={workers}, processes=False, dashboard_address=None, protocol="tcp://") as found:
        print(found.scheduler_address, flush=True)
        sys.stdin.read()
"""
JUDGE = module.judge_digest.__wrapped__.__globals__["JUDGE"]


@contextmanager
def scheduler(workers: int, judge: tuple[str, ...] = JUDGE) -> Iterator[str]:
    """The address of one that runs in another process, whose judge consists of those folders."""
    argv = [sys.executable, "-c", SCHEDULER.format(workers=workers, judge=judge)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def test_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    nobody = "tcp://127.0.0.1:9"
    with pytest.raises(ClusterError, match=f"no Dask scheduler answers at {nobody}"), cluster(nobody, 1):
        pass


def test_a_cluster_without_workers() -> None:
    with scheduler(0) as address, pytest.raises(ClusterError, match="has no workers"), cluster(address, 1):
        pass


def test_workers_with_the_same_judge_and_with_another_one() -> None:
    with scheduler(1) as address, cluster(address, 1) as executor:
        assert executor.submit(len, "judge").result(20) == 5
    with (
        scheduler(1, ("grading/judge",)) as address,
        pytest.raises(ClusterError, match="another version of the judge"),
        cluster(address, 1),
    ):
        pass
