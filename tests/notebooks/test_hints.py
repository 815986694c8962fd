"""Hints: three steps for a requirement, never before they are asked for, in each form of the report."""

from pathlib import Path
from typing import Any

import pytest
from workbench.cli import main as workbench

from grading import checks
from grading.judge import RequirementVerdict, Verdict, judge
from grading.judge.report import Finding
from grading.judge.report_html import page

ROOT = Path(__file__).parents[2]
SLOT = "url-shortener/redirect-cache"
PLAIN = ROOT / "reference/shortener/plain/redirect_cache.py"
HINTED = [SLOT, "url-shortener/hash-codes"]


def plain_verdict(**options: Any) -> Verdict:
    return judge(SLOT, PLAIN.read_text("utf-8"), [1], **options)


@pytest.mark.parametrize("slot", checks.SLOTS)
def test_hints_are_whole_sentences_and_none_is_code_to_copy(slot: str) -> None:
    for requirement in checks.suite(slot).requirements:
        if slot in HINTED:
            assert len(requirement.hints) == 3
        assert len(set(requirement.hints)) == len(requirement.hints)
        for hint in requirement.hints:
            assert hint.strip() == hint
            assert hint.rstrip(")")[-1] in ".?!"
            assert len(hint) < 400
            assert "\n" not in hint, "a hint is prose: lines of code would be the solution"


def test_a_lost_requirement_carries_its_hints_and_a_passed_one_does_not() -> None:
    verdict = plain_verdict(only=["hits", "answers"])
    hints = {each.id: each.hints for each in verdict.requirements}
    assert hints["answers"] == ()
    assert hints["hits"] == next(r for r in checks.suite(SLOT).requirements if r.id == "hits").hints
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_no_hint_before_it_is_asked_for() -> None:
    verdict = plain_verdict(only=["hits"])
    first, second, third = verdict.requirements[0].hints
    assert "hint" not in verdict.text().lower()
    text = " ".join(verdict.hints_text(2).split())
    assert first in text
    assert second in text
    assert third not in text
    assert "hint 2 of 3:" in text
    assert all(len(line) <= 80 for line in verdict.hints_text(9).splitlines())
    html = verdict.html()
    opened, *_ = html.partition("<summary>Hint 1 of 3</summary>")
    assert opened.endswith('<details style="margin-left:1em">')  # shut
    assert html.index("Hint 1 of 3") < html.index("Hint 2 of 3") < html.index("Hint 3 of 3")
    assert "Hint" not in page(verdict, hints=False)


def test_one_mistake_that_loses_many_has_no_hints() -> None:
    """Their hints would lead away from it."""
    finding = Finding("did", "expected", "got", "why", "read")
    lost = [RequirementVerdict(id, id, 0, 1, "fail", finding, ("look there",)) for id in ("a", "b")]
    verdict = Verdict("s/c", 0, 2, "bubblewrap", (1,), tuple(lost))
    assert verdict.hints_text(3) == ""
    assert "look there" not in verdict.html()
    broken = judge(SLOT, "class RedirectCache: pass", [1])
    assert broken.hints_text(3) == ""


def test_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    options = ["check", str(PLAIN), "--seeds", "1", "--requirement", "hits"]
    first, second, third = next(r for r in checks.suite(SLOT).requirements if r.id == "hits").hints
    assert workbench(options) == 1
    told = " ".join(capfd.readouterr().out.split())
    assert "--hint" in told
    assert first not in told
    assert "your lines in it: 20 | link = await self.links.find(code)" in told
    assert workbench([*options, "--hint"]) == 1
    told = " ".join(capfd.readouterr().out.split())
    assert first in told
    assert second not in told
    assert workbench([*options, "--hint", "7"]) == 1
    assert third in " ".join(capfd.readouterr().out.split())
    with pytest.raises(SystemExit):
        workbench(["check", "--hint", str(PLAIN)])
    assert "name the file first" in capfd.readouterr().err


def test_full_marks_need_no_hint(capfd: pytest.CaptureFixture[str]) -> None:
    reference = ROOT / "reference/shortener/redirect_cache.py"
    options = ["check", str(reference), "--seeds", "1", "--requirement", "hits"]
    assert workbench(options) == 0
    assert "--hint" not in capfd.readouterr().out
    assert workbench([*options, "--hint"]) == 0
    assert "There is no hint to give." in capfd.readouterr().out
