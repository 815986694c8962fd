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

from grading.judge import judge
from tests.judge.test_matrix import MANIFEST, assert_full_marks, source

ROUNDS = int(os.environ.get("JUDGE_ROUNDS", "1"))
SEEDS_EACH = 3
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


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.usefixtures("one_core_with_a_busy_neighbour")
def test_a_round_on_fresh_seeds(slot: str, reference: str, turn: int) -> None:
    base = int(os.environ.get("JUDGE_SEED") or 1_000 + secrets.randbelow(10**9))
    seeds = range(base, base + SEEDS_EACH)
    print(f"JUDGE_SEED={base}")  # shown if this fails
    verdict = judge(slot, reference, seeds)
    assert_full_marks(verdict)
    assert judge(slot, reference, seeds).to_json() == verdict.to_json()
    for entry in MANIFEST["odd"]:
        assert_full_marks(judge(slot, source("odd", entry), seeds))
    for entry in MANIFEST["wrong"]:
        broken = [entry["rejected_by"]]
        verdict = judge(slot, source("wrong", entry), seeds, only=broken)
        assert verdict.points == 0, f"{entry['file']} passed {broken[0]}:\n{verdict.text()}"
        assert judge(slot, source("wrong", entry), seeds, only=broken).to_json() == verdict.to_json(), entry[
            "file"
        ]
