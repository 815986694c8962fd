"""Answers as data: graded estimates, forecasts, and what becomes of a cell that cannot be read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench.notebook.answer import Answer, answered, keep

from grading.answers import ANSWERS, exercise, judge_answer, own_part
from grading.answers.estimates import Estimates, template
from grading.answers.forecasts import Forecasts
from grading.answers.reading import Unreadable, read
from grading.judge.__main__ import main as judge

ID = "url-shortener/estimates"
RIGHT = """
writes        = "4.6 links/s"
reads_at_peak = "4,000 to 5,000 redirects/s"
storage       = "263 GB"
cache         = "22 GB"
code_length   = "8 characters"
"""


def earned(text: str) -> dict[str, float]:
    return {each.id: each.points for each in judge_answer(ID, text).requirements}


def got(text: str, id: str) -> str:
    (found,) = [each for each in judge_answer(ID, text).requirements if each.id == id]
    assert found.finding is not None
    return found.finding.got


def test_the_solution_gets_full_marks_in_other_words_too() -> None:
    verdict = judge_answer(ID, RIGHT)
    assert (verdict.points, verdict.max_points, verdict.isolation) == (10, 10, "data")
    other = RIGHT.replace("4.6 links/s", "12 million links per month").replace("263 GB", "0.26 TB")
    assert judge_answer(ID, other).passed
    assert judge_answer(ID, RIGHT.replace('"8 characters"', '"8 chars"')).passed
    assert "Judged on" not in verdict.text()


@pytest.mark.parametrize(
    ("wrong", "points", "says"),
    [
        ("4.6 redirects/s", 0, "not the same kind of thing"),
        ("4.6", 0, "the unit is missing"),
        ("6 links/s", 1, "too much by a factor of 1.3"),
        ("46 links/s", 0.5, "too much by a factor of 9.94"),
        ("278 links/s", 0.5, "rate per minute"),
        ("1 to 100 links/s", 0.5, "a range of a factor 100"),
        ("lots", 0, "is no quantity"),
        ("?", 0, "no answer yet"),
        ("0 links/s", 0.5, "more than nothing"),
    ],
)
def test_points_for_unit_magnitude_and_tolerance(wrong: str, points: float, says: str) -> None:
    text = RIGHT.replace("4.6 links/s", wrong)
    assert earned(text) == {"writes": points, "reads_at_peak": 2, "storage": 2, "cache": 2, "code_length": 2}
    assert says in got(text, "writes")


@pytest.mark.parametrize(
    ("id", "wrong", "says"),
    [
        ("reads_at_peak", "1157 redirects/s", "That is the mean"),
        ("storage", "175 GB", "Rows alone"),
        ("cache", "5 GB", "tenth of a day's redirects"),
        ("code_length", "5 characters", "a code of its own"),
        ("code_length", "7 characters", "One too few"),
    ],
)
def test_slips_are_known_by_their_result(id: str, wrong: str, says: str) -> None:
    lines = [f'{id} = "{wrong}"' if line.startswith(id) else line for line in RIGHT.splitlines()]
    assert says in got("\n".join(lines), id)


def test_no_slip_is_within_tolerance_of_what_is_right() -> None:
    found = exercise(ID)
    assert isinstance(found, Estimates)
    for asked in found.asked:
        right = found.right(asked.formula, asked.unit)
        for slip in asked.slips:
            assert abs(found.right(slip.formula, asked.unit) / right - 1) > asked.tolerance
        assert all(text for text in (asked.why, asked.read_next, *asked.hints))


def test_a_cell_that_cannot_be_read_says_where_and_earns_nothing() -> None:
    verdict = judge_answer(ID, RIGHT.replace('"263 GB"', "263 GB"))
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert "line 4 cannot be read" in verdict.crashed
    assert "263 GB" in verdict.crashed


def test_what_can_be_counted_is_no_range() -> None:
    text = RIGHT.replace('"8 characters"', '"5 to 10 characters"')
    assert earned(text)["code_length"] == 0.5
    assert "this one can be counted" in got(text, "code_length")


def test_a_bare_number_and_a_stranger() -> None:
    text = RIGHT.replace('"8 characters"', "8") + 'speed = "fast"\n'
    verdict = judge_answer(ID, text)
    assert "the unit is missing: write characters" in got(text, "code_length")
    assert verdict.notes == ("Nobody asked for `speed` (line 7).",)


@given(st.sampled_from(sorted(ANSWERS)), st.text(max_size=300))
def test_whatever_is_written_is_judged(id: str, text: str) -> None:
    verdict = judge_answer(id, text)
    assert 0 <= verdict.points <= verdict.max_points
    assert verdict.text()
    assert exercise(id).read_back(text)


def test_deep_and_long_texts() -> None:
    with pytest.raises(Unreadable):
        read("a = " + "[" * 20_000)
    with pytest.raises(Unreadable, match="too long"):
        read("a = " + "1" * 5_000)
    assert judge_answer(ID, "a = 1\n" * 100_000).points == 0


def test_the_template_is_what_the_cell_of_the_notebook_holds() -> None:
    found = exercise(ID)
    assert isinstance(found, Estimates)
    assert set(read(template(found)).values.values()) == {"?"}


def test_in_the_instructors_notebook_the_solution_counts() -> None:
    text = '\na = "?"\n### BEGIN SOLUTION\na = "1"\n### END SOLUTION\n'
    assert own_part(text) == '\n\n\na = "1"\n\n'
    assert own_part(RIGHT) == RIGHT


def test_forecasts_are_scored_beside_the_measurement() -> None:
    found = exercise("url-shortener/forecast")
    assert isinstance(found, Forecasts)
    text = """
redirects_per_server = "500 to 1500 redirects/s"
moved = "75 %"
counted_after = "1 ms to 10 s"
failed = "1 to 2 %"
"""
    assert "write it once, at the end" in dict(found.read_back(text))["counted_after"]
    text = text.replace("1 ms to 10 s", "1 to 10000 ms")
    measured = {"redirects_per_server": "900 redirects/s", "moved": "25 %", "counted_after": "0.2 s"}
    scores = found.score(text, measured)
    assert [s.says for s in scores.scores] == [
        "right",
        "missed: too high by a factor of 3",
        "right, but the range spans a factor of 10,000",
        "not measured",
    ]
    assert scores.right == 2
    assert "you expected" in str(scores)


def test_answers_are_kept_beside_the_notebook(tmp_path: Path) -> None:
    assert answered(ID, tmp_path) is None
    keep(Answer(ID, RIGHT), tmp_path)
    keep(Answer("url-shortener/forecast", "\n"), tmp_path)
    assert answered(ID, tmp_path) == Answer(ID, RIGHT)
    (tmp_path / "answers.json").write_text("[]")
    assert answered(ID, tmp_path) is None
    assert (tmp_path / "answers.json.unreadable").exists()


def test_the_judge_takes_answers_by_the_same_command(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "answer.toml"
    path.write_text(RIGHT)
    assert judge([ID, str(path), "--json", "--seeds", "1-3"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["points"] == 10
    assert judge([ID, "--list"]) == 0
    assert b"10 points" in capfdbinary.readouterr().out
