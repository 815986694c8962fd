"""A judge that stays says what a fresh one says, and is ended and replaced when it does not answer."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from grading.judge.report import Verdict
from grading.matrix import entries, filling
from grading.nbgrader.judging import COMMAND, executor
from grading.nbgrader.warm import POSSIBLE, NoAnswer, WarmJudge, cores_for, of_this_thread

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="this system cannot fork")
SLOT, ANSWER = "url-shortener/base62", "url-shortener/estimates"
SEEDS = ("--json", "--seeds", "5-6")


def asked(slot: str) -> tuple[str, ...]:
    return (slot, "-", *SEEDS)


def fresh(argv: tuple[str, ...], source: str) -> tuple[int, str]:
    done = subprocess.run([*COMMAND, *argv], input=source.encode(), capture_output=True, check=False)
    return done.returncode, done.stdout.decode()


@pytest.fixture(scope="module")
def judge() -> WarmJudge:
    return WarmJudge(COMMAND)


SOURCES = {
    "right": (SLOT, filling(SLOT, "reference")),
    "wrong": (SLOT, entries(SLOT, "wrong")[0].source),
    "not Python": (SLOT, "this is ( no Python"),
    "ends the process": (SLOT, "import os\nos._exit(0)"),
    "half a character": (SLOT, "# \ud800"),
    "an answer": (ANSWER, "nothing of the kind"),
    "no such slot": ("url-shortener/nothing", "x"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_it_says_what_a_fresh_one_says(judge: WarmJudge, name: str) -> None:
    slot, source = SOURCES[name]
    found = judge.ask(asked(slot), source, 60)
    if "\ud800" not in source:  # which no cell can hold in a file
        assert (found.status, found.out) == fresh(asked(slot), source)
    if slot == "url-shortener/nothing":
        assert found.status == 2
        assert "there is no slot" in found.err
    else:
        assert Verdict.from_json(found.out).slot == slot


def test_what_one_component_leaves_behind_the_next_does_not_meet(judge: WarmJudge) -> None:
    slot, source = SOURCES["right"]
    before = judge.ask(asked(slot), source, 60)
    for name in ("wrong", "ends the process", "not Python"):
        judge.ask(asked(SOURCES[name][0]), SOURCES[name][1], 60)
    assert judge.ask(asked(slot), source, 60) == before


def test_a_source_of_many_megabytes_passes(judge: WarmJudge) -> None:
    slot, source = SOURCES["right"]
    long = source + "\n# " + "x" * 8_000_000
    assert judge.ask(asked(slot), long, 60).status in (0, 1)


STUCK = """import json, sys, time
for line in sys.stdin:
    {does}
"""


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("time.sleep(60)", "no verdict within 0.5 s"),
        ("break", "the judge ended"),
        ("print('no JSON', flush=True)", "the judge ended"),
        ("print('[]', flush=True)", "the judge ended"),
    ],
)
def test_one_that_does_not_answer_is_ended(does: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "judge.py"
    path.write_text(STUCK.format(does=does), "utf-8")
    stuck = WarmJudge([sys.executable, str(path)])
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=why):
        stuck.ask(("a", "-"), "", 0.5)
    assert time.monotonic() - began < 30
    assert not stuck.close.alive


def test_a_thread_has_one_and_another_after_it_is_gone() -> None:
    first = of_this_thread(COMMAND)
    assert of_this_thread(COMMAND) is first
    first.close()
    second = of_this_thread(COMMAND)
    assert second is not first
    second.close()


def test_it_ends_with_its_last_reference() -> None:
    judge = WarmJudge(COMMAND)
    process = psutil.Process(judge._process.pid)
    del judge
    assert not process.is_running()


@pytest.mark.skipif(not hasattr(psutil.Process(), "cpu_affinity"), reason="this system cannot bind a process")
def test_as_many_judges_as_cores_have_one_each_and_fewer_go_where_they_like() -> None:
    cores = sorted(os.sched_getaffinity(0))

    def bound(judge: WarmJudge) -> list[int]:
        return list(psutil.Process(judge._process.pid).cpu_affinity())

    def of_a_thread(together: threading.Barrier) -> list[int]:
        together.wait(30)
        return bound(of_this_thread(COMMAND))

    together = threading.Barrier(len(cores))
    with executor(len(cores), None) as pool:
        found = pool.map(of_a_thread, [together] * len(cores))
    assert sorted(found) == [[core] for core in cores]
    assert cores_for(len(cores) - 1).empty()
