"""Two processes judge every other requirement each: the verdict is the one that a single process comes to."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from grading import checks
from grading.judge import Verdict, judge
from grading.matrix import filling

KINDS = ["reference", "plain"]


def command(slot: str, source: str, *options: str) -> Verdict:
    argv = [sys.executable, "-m", "grading.judge", slot, "-", "--json", "--halves", *options]
    done = subprocess.run(argv, input=source.encode(), capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return Verdict.from_json(done.stdout.decode())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slot", checks.SLOTS)
def test_halves_come_to_the_same_verdict(slot: str, kind: str) -> None:
    source = filling(slot, kind)
    assert command(slot, source, "--seeds", "3") == judge(slot, source, [3])


def test_one_after_the_other_where_a_process_cannot_be_forked(
    slot: str, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork")
    assert judge(slot, plain, [3], halves=True) == judge(slot, plain, [3])


def test_one_core_gives_the_same_bytes(slot: str, plain: str) -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("processes cannot be bound to cores here")
    argv = [sys.executable, "-m", "grading.judge", slot, "-", "--json", "--halves", "--seeds", "3"]

    def bound(cores: set[int]) -> bytes:
        run = subprocess.run(
            argv,
            input=plain.encode(),
            capture_output=True,
            check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        return run.stdout

    every = os.sched_getaffinity(0)
    assert len(bound({min(every)})) > 1000
    assert bound({min(every)}) == bound(every)


@pytest.mark.parametrize("at", ["self.links = links", "return Answer.of"])
def test_when_both_lose_their_process_the_first_is_told_of(slot: str, plain: str, at: str) -> None:
    source = plain.replace(at, "import os; os._exit(3)\n        " + at, 1)
    verdict = command(slot, source, "--seeds", "1")
    assert verdict == judge(slot, source, [1])
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert "ended the process by os._exit(3) (line " in verdict.crashed


def test_when_only_the_second_loses_its_process_nothing_is_earned(slot: str, plain: str) -> None:
    source = plain.replace(
        "    async def invalidate(self, code: str) -> None:\n",
        "    async def invalidate(self, code: str) -> None:\n        import os; os._exit(3)\n",
    )
    requirements = [each.id for each in judge(slot, plain, [1]).requirements]
    assert judge(slot, source, [1], only=requirements[::2]).crashed is None
    verdict = command(slot, source, "--seeds", "1")
    assert verdict.points == 0
    assert verdict == judge(slot, source, [1])


def test_what_cannot_be_loaded_is_told_once(slot: str) -> None:
    verdict = command(slot, "def (", "--seeds", "1")
    assert verdict == judge(slot, "def (", [1])
    assert len(verdict.findings()) == 1


def is_a_half(process: psutil.Process) -> bool:
    try:
        return "--halves" in process.cmdline()
    except psutil.NoSuchProcess:  # it has ended since it was listed: a short-lived helper of the sandbox
        return False


def test_whoever_kills_the_first_process_ends_the_second(slot: str, reference: str) -> None:
    argv = [sys.executable, "-m", "grading.judge", slot, "-", "--json", "--halves", "--seeds", "1-500"]
    first = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert first.stdin is not None
    first.stdin.write(reference.encode())
    first.stdin.close()
    until = time.monotonic() + 20
    family: list[psutil.Process] = []
    while time.monotonic() < until and not any(map(is_a_half, family)):
        time.sleep(0.05)
        family = psutil.Process(first.pid).children(recursive=True)
    time.sleep(0.3)  # both hosts have started
    family = psutil.Process(first.pid).children(recursive=True)
    assert len(family) >= 3
    first.kill()
    first.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
