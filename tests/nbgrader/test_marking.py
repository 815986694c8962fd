"""The seam between judge and gradebook: one number, one report, and no way for a learner to write either."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell
from nbgrader.utils import determine_grade

from grading.judge.report import Counterexample, Finding, RequirementVerdict, Verdict
from grading.nbgrader import verdicts as kept_verdicts
from grading.nbgrader.judging import Judge, JudgeFailed, judge_ahead
from grading.nbgrader.lift import Component
from grading.nbgrader.preprocessor import Mark, mark_of, no_mark, report_of
from grading.nbgrader.progress import Progress
from grading.nbgrader.seeds import LOWEST, learner_seeds
from grading.nbgrader.verdicts import Kept, Verdicts

SLOT = "url-shortener/redirect-cache"
COMPONENT = Component(SLOT, "\nclass RedirectCache: ...")


def verdict(points: int = 13, max_points: int = 20, slot: str = SLOT, crashed: str | None = None) -> Verdict:
    example = Counterexample(seed=7_654_321, operations=("resolve",), faults=())
    finding = Finding("did", "expected", "got", "why", "read", counterexample=example)
    requirement = RequirementVerdict("answers", "Right answers", points, max_points, "fail", finding)
    return Verdict(
        slot=slot,
        points=points,
        max_points=max_points,
        isolation="none",
        seeds=(7_654_321,),
        requirements=(requirement,),
        crashed=crashed,
    )


def judge(tmp_path: Path, program: str, wall_limit: float = 20.0) -> Judge:
    path = tmp_path / "judge.py"
    path.write_text(program)
    return Judge("1000000-1000019", [sys.executable, "-I", str(path)], wall_limit)


def answering(text: str, code: int = 1) -> str:
    return (
        f"import sys; sys.stdin.read(); print({text!r}); print('careful', file=sys.stderr); sys.exit({code})"
    )


@pytest.mark.parametrize("points", [0.0, 0.5, 13.0, 20.0])
def test_nbgrader_reads_the_points_that_a_mark_writes(points: float) -> None:
    cell = new_code_cell("check", metadata={"nbgrader": {"grade": True, "solution": False, "points": 20}})
    cell.outputs = Mark(points, "text", "<p>html</p>").outputs()
    assert determine_grade(cell) == (points, 20.0)


def test_a_report_names_its_requirements_and_no_seed() -> None:
    mark = mark_of(verdict(), ["`points` had been changed"])
    assert mark.points == 13
    assert mark.by_requirement == {"answers": 13}
    assert "points" in mark.text
    assert "7654321" not in mark.text + mark.html
    assert report_of(mark.outputs()[1]) == {"points": {"answers": 13}, "review": False}


def test_a_reason_is_escaped_and_cannot_steer_a_terminal() -> None:
    mark = no_mark("<script>\x1b[2J\u202e", 20, ["<b>"])
    page = mark.outputs()[1].data["text/html"]
    assert "<script>" not in page
    assert "<b>" not in page
    assert "\x1b" not in page + mark.outputs()[1].data["text/plain"]
    assert "\u202e" not in page


def test_the_judge_is_asked_with_the_seeds_and_the_text_on_stdin(tmp_path: Path) -> None:
    program = f"""
import sys
assert sys.argv[1:] == [{SLOT!r}, "-", "--json", "--seeds", "1000000-1000019"], sys.argv
assert sys.stdin.buffer.read().decode() == {COMPONENT.source!r}
print({verdict().to_json()!r})
"""
    assert judge(tmp_path, program).verdict(COMPONENT).points == 13


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (answering("", 0), "cannot be read"),
        (answering("20", 0), "cannot be read"),
        (answering("[]", 0), "cannot be read"),
        (answering("{}", 0), "cannot be read"),
        (answering(verdict().to_json(), 2), "ended with 2"),
        (answering(verdict(points=21).to_json(), 0), "21 of 20"),
        (answering(verdict(points=-1).to_json(), 0), "-1 of 20"),
        (answering(verdict(slot="chat/router").to_json(), 0), "chat/router"),
        (answering(verdict(crashed="the judge itself failed: KeyError").to_json(), 1), "itself failed"),
        ("import os; os.abort()", "ended with"),
    ],
)
def test_a_judge_that_fails_gives_no_mark_at_all(tmp_path: Path, program: str, reason: str) -> None:
    with pytest.raises(JudgeFailed, match=reason):
        judge(tmp_path, program).verdict(COMPONENT)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_a_judge_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    program = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.5); open({str(mark)!r}, 'w')"])
time.sleep(60)
"""
    began = time.monotonic()
    with pytest.raises(JudgeFailed, match="within"):
        judge(tmp_path, program, wall_limit=0.5).verdict(COMPONENT)
    assert time.monotonic() - began < 20
    time.sleep(2)
    assert not mark.exists()


def test_a_judge_that_failed_once_is_asked_once_more(tmp_path: Path) -> None:
    flag = tmp_path / "second"
    program = f"""
import pathlib, sys
flag = pathlib.Path({str(flag)!r})
if not flag.exists():
    flag.touch()
    sys.exit(3)
print({verdict().to_json()!r})
"""
    assert judge(tmp_path, program).verdict(COMPONENT).points == 13


def test_verdicts_judged_ahead_are_used_and_failures_are_not_kept(tmp_path: Path) -> None:
    folder = tmp_path / "ahead"
    folder.mkdir()
    other = Component(SLOT, "\nfail")
    program = f"import sys\nif 'fail' in sys.stdin.read(): sys.exit(3)\nprint({verdict().to_json()!r})"
    working = replace(judge(tmp_path, program), verdicts=Verdicts(folder))
    told: list[str] = []
    asked = [(working, COMPONENT), (working, other), (working, COMPONENT)]
    assert sorted(judge_ahead(asked, workers=2, tell=told.append)) == [0, 1, 2]
    assert told[-1].startswith("judged 2 of 2, in ")
    assert len(list(folder.iterdir())) == 1
    broken = Judge(working.seeds, ["no such program"], verdicts=Verdicts(folder))
    assert broken.verdict(COMPONENT).points == 13
    with pytest.raises(OSError, match="no such program"):
        broken.verdict(other)
    with pytest.raises(OSError, match="no such program"):  # what was decided is for these seeds alone
        Judge("1-2", ["no such program"], verdicts=Verdicts(folder)).verdict(COMPONENT)


def test_seeds_are_kept_private_and_differ_between_courses_and_learners(tmp_path: Path) -> None:
    seeds = learner_seeds(tmp_path / "a", "ada")
    assert learner_seeds(tmp_path / "a", "ada") == seeds
    assert learner_seeds(tmp_path / "a", "bob") != seeds
    assert learner_seeds(tmp_path / "b", "ada") != seeds
    first, _, last = seeds.partition("-")
    assert int(first) >= LOWEST
    assert int(last) - int(first) == 19
    if sys.platform != "win32":
        assert (tmp_path / "a" / "seeds.toml").stat().st_mode & 0o077 == 0


def test_a_verdict_on_file_that_was_cut_or_changed_is_none(tmp_path: Path) -> None:
    verdicts = Verdicts(tmp_path / "kept")
    verdicts.put(COMPONENT, "1-2", Kept(verdict(), 1.5))
    assert verdicts.get(COMPONENT, "1-2") == Kept(verdict(), 1.5)
    [file] = verdicts.folder.iterdir()
    whole = file.read_text("utf-8")
    for text in (whole[:-40], "", "[]", "{}", whole.replace("points", "pints")):
        file.write_text(text, "utf-8")
        assert verdicts.get(COMPONENT, "1-2") is None
    file.write_text(whole, "utf-8")
    verdicts.forget(COMPONENT, "1-2")
    assert verdicts.get(COMPONENT, "1-2") is None


def test_a_changed_judge_decides_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = Verdicts(tmp_path)
    verdicts.put(COMPONENT, "1-2", Kept(verdict(), 1.5))
    monkeypatch.setattr(kept_verdicts, "judge_digest", lambda: "another judge")
    assert verdicts.get(COMPONENT, "1-2") is None


def test_progress_says_what_is_left_and_not_too_often() -> None:
    times = iter([0.0, 1.0, 3.0, 4.0, 200.0])
    told: list[str] = []
    progress = Progress(4, told.append, now=lambda: next(times))
    for _ in range(4):
        progress.one()
    assert told == ["judged 2 of 4, about 3 s left", "judged 4 of 4, in 3 min"]
