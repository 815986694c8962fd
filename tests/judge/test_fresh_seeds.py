"""Nothing hangs on the seeds that we happened to look at, or on a quiet machine.

Each round draws a fresh seed, records it (a failure names it; `JUDGE_SEED=` repeats it), and judges with it: the
reference and every odd-but-right component get full marks, the wrong ones that the seed chooses lose the requirement
that they break, some of them little else, and the same seeds give the same bytes again, also on a core that a busy
neighbour shares. `make soak` draws many seeds, and takes every wrong one. (On seeds that do not change all of them are
judged by test_matrix.py, each time.)
"""

import os
import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from grading import checks
from grading.judge import judge
from grading.matrix import Entry, entries, filling
from tests.judge.test_matrix import assert_full_marks

pytestmark = pytest.mark.slow

ROUNDS = 5
"""Of a soak."""
SEEDS_EACH = 5
OF_A_MARK = 20
"""Seeds on one of which a wrong component must fail."""
ONE_IN = 6
"""Of the wrong components, those that a round judges. The next run draws others."""
WHOLE_ONE_IN = 40
"""Those that it judges by every requirement."""
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
"""Ends when this process ends, however that comes about."""


@contextmanager
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


def a_round(slot: str, one_in: int, whole_one_in: int) -> None:
    base = fresh()

    def drawn(one_in: int) -> list[Entry]:
        return random.Random(base).sample(wrong, -(-len(wrong) // one_in))

    seeds = range(base, base + SEEDS_EACH)
    assert_full_marks(judge(slot, filling(slot, "reference"), seeds))
    for entry in entries(slot, "odd"):
        assert_full_marks(judge(slot, entry.source, seeds))
    wrong, seeds = entries(slot, "wrong"), range(base, base + OF_A_MARK)
    for entry in drawn(one_in):
        verdict = judge(slot, entry.source, seeds, only=[entry.rejected_by])
        assert verdict.points == 0, f"{entry.name} passed {entry.rejected_by}:\n{verdict.text()}"
    for entry in drawn(whole_one_in):
        verdict = judge(slot, entry.source, seeds)
        lost = {each.id for each in verdict.requirements if each.verdict == "fail"}
        assert entry.rejected_by in lost
        assert len(lost) <= 4, f"{entry.name} loses much else:\n{verdict.text()}"


@pytest.mark.parametrize("slot", checks.SLOTS)
def test_a_round_on_fresh_seeds(slot: str) -> None:
    a_round(slot, ONE_IN, WHOLE_ONE_IN)


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("slot", checks.SLOTS)
def test_many_rounds(slot: str, turn: int) -> None:
    a_round(slot, 1, 1)


@pytest.mark.parametrize("slot", checks.SLOTS)
def test_the_same_seeds_give_the_same_bytes_beside_a_busy_neighbour(slot: str) -> None:
    base = fresh()
    wrong = random.Random(base).choice(entries(slot, "wrong"))
    asked = [
        (filling(slot, "reference"), range(base, base + 2), []),
        (wrong.source, range(base, base + OF_A_MARK), [wrong.rejected_by]),
    ]
    alone = [judge(slot, source, seeds, only=only).to_json() for source, seeds, only in asked]
    with one_core_with_a_busy_neighbour():
        crowded = [judge(slot, source, seeds, only=only).to_json() for source, seeds, only in asked]
    assert crowded == alone, wrong.name


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.soak)])
@pytest.mark.parametrize("slot", checks.SLOTS)
def test_the_reference_on_many_fresh_seeds(slot: str, count: int) -> None:
    base = fresh()
    assert_full_marks(judge(slot, filling(slot, "reference"), range(base, base + count)))
