"""Nothing hangs on the seeds that we happened to look at, or on a quiet machine.

Each round draws a fresh seed, records it (a failure names it; `JUDGE_SEED=` repeats it), and runs the whole matrix
on one core that a busy neighbour shares: the reference and every odd-but-right component get full marks, every
wrong one loses the requirement that it breaks, and the same seeds give the same bytes again. `JUDGE_ROUNDS=20`
for many rounds.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from grading import checks
from grading.judge import judge
from grading.matrix import entries, filling
from tests.judge.test_matrix import assert_full_marks

ROUNDS = int(os.environ.get("JUDGE_ROUNDS", "1"))
SEEDS_EACH = 3
OF_A_MARK = 20
"""Seeds on which a wrong component must fail; it is judged no further than that."""
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
"""Ends when this process ends, however that comes about."""


@pytest.fixture(scope="module")
def one_core_with_a_busy_neighbour() -> Iterator[None]:
    """Everything that this process starts stays on one core, and so does a loop that never rests."""
    me = psutil.Process()
    if not hasattr(me, "cpu_affinity"):
        pytest.skip("this system cannot bind a process to a core")
    before = me.cpu_affinity()
    me.cpu_affinity(before[:1])
    neighbour = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()
        me.cpu_affinity(before)


def fresh() -> int:
    base = int(os.environ.get("JUDGE_SEED") or 1_000 + secrets.randbelow(10**9))
    print(f"JUDGE_SEED={base}")  # shown if the test fails
    return base


@pytest.mark.slow
@pytest.mark.parametrize("slot", checks.SLOTS)
@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.usefixtures("one_core_with_a_busy_neighbour")
def test_a_round_on_fresh_seeds(slot: str, turn: int) -> None:
    base = fresh()
    seeds = range(base, base + SEEDS_EACH)
    verdict = judge(slot, filling(slot, "reference"), seeds)
    assert_full_marks(verdict)
    assert judge(slot, filling(slot, "reference"), seeds).to_json() == verdict.to_json()
    for entry in entries(slot, "odd"):
        assert_full_marks(judge(slot, entry.source, seeds))
    for entry in entries(slot, "wrong"):
        broken = [entry.rejected_by]
        verdict = judge(slot, entry.source, range(base, base + OF_A_MARK), only=broken)
        assert verdict.points == 0, f"{entry.name} passed {broken[0]}:\n{verdict.text()}"
    again = judge(slot, entry.source, range(base, base + OF_A_MARK), only=broken)
    assert again.to_json() == verdict.to_json(), entry.name


@pytest.mark.slow
@pytest.mark.parametrize("slot", checks.SLOTS)
def test_the_reference_on_a_hundred_fresh_seeds(slot: str) -> None:
    base = fresh()
    assert_full_marks(judge(slot, filling(slot, "reference"), range(base, base + 100)))
