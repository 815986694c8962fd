"""An experiment shows nothing without a prediction, and its journal survives a restart."""

import json
from pathlib import Path

import pytest
from workbench.loadgen.result import StoppedEarly
from workbench.notebook.experiment import Finding, Outcome, Prediction, Unfinished, experiment, predict
from workbench.notebook.journal import Journal, number

pytestmark = pytest.mark.anyio


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "experiments.json")


def committed(journal: Journal, guess: float | None, unit: str = "share") -> Prediction:
    return predict(
        "claim-1", claim="It <b>is</b> so.", question="How much?", guess=guess, unit=unit, journal=journal
    )


async def run() -> Outcome:
    return Outcome(0.8, "depends", "On the traffic.", {"Requests": "1,000"})


async def test_without_a_prediction_nothing_is_measured(journal: Journal) -> None:
    async def must_not_run() -> Outcome:
        raise AssertionError("measured without a prediction")

    asked = await experiment(committed(journal, None), must_not_run, journal)
    assert isinstance(asked, Prediction)
    assert "Predict first. In the cell above" in str(asked)
    assert "run that cell, then this one" in str(asked)
    assert str(asked._repr_mimebundle_()["text/html"]).count("How much?") == 1
    assert list(journal) == []


async def test_a_finding_stands_beside_the_prediction_and_is_kept(journal: Journal) -> None:
    finding = await experiment(committed(journal, 0.5), run, journal)
    assert isinstance(finding, Finding)
    assert ("Measured", "80 % (you were off by 30 points)") in finding.rows
    assert ("Requests", "1,000") in finding.rows
    entry = Journal(journal.path).get("claim-1")
    assert entry is not None
    assert (entry.prediction, entry.measured, entry.says) == (0.5, 0.8, "depends")
    html = finding._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;is" in html
    assert "<b>" not in html


async def test_the_first_prediction_stays_and_a_restart_needs_none(journal: Journal) -> None:
    committed(journal, 0.5)
    later = committed(journal, 0.79)
    assert "your first guess was 50 %, and the first one counts" in str(later)
    restarted = committed(journal, None)
    assert restarted.guess == 0.79
    finding = await experiment(restarted, run, journal)
    assert isinstance(finding, Finding)
    assert ("You predicted", "50 %") in finding.rows


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        (30, "for 30 % write 0.3"),
        (-0.1, "between 0 and 1"),
        ("half", "is a number, such as 0.5"),
        (True, "is a number"),
        (float("nan"), "is a number"),
    ],
)
def test_what_is_no_share_is_not_committed_and_says_why(journal: Journal, guess: float, said: str) -> None:
    asked = committed(journal, guess)
    assert asked.guess is None
    assert "Predict first" in str(asked)
    assert said in str(asked)
    assert list(journal) == []


async def test_what_was_stopped_is_not_recorded(journal: Journal) -> None:
    async def stopped() -> Outcome:
        raise StoppedEarly("Stopped after 1.0 of 6 s: too early to tell. Run the cell again.")

    found = await experiment(committed(journal, 0.5), stopped, journal)
    assert isinstance(found, Unfinished)
    assert "too early to tell" in str(found)
    entry = journal.get("claim-1")
    assert entry is not None
    assert (entry.measured, entry.says) == (None, None)


async def test_the_verdict_is_a_sentence(journal: Journal) -> None:
    finding = await experiment(committed(journal, 0.5), run, journal)
    assert isinstance(finding, Finding)
    assert ("Verdict", "It depends. On the traffic.") in finding.rows
    assert "It depends" in journal._repr_mimebundle_()["text/plain"]


def test_a_journal_that_cannot_be_read_is_put_aside(journal: Journal) -> None:
    journal.path.write_text("{ not json")
    assert list(journal) == []
    assert journal.path.with_suffix(".json.unreadable").read_text() == "{ not json"
    committed(journal, 0.5)
    assert list(json.loads(journal.path.read_text())) == ["claim-1"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.793, "share", "79 %"),
        (0.9968, "share", "99.7 %"),
        (1234.5, "reads/s", "1,234 reads/s"),
        (7.25, "x", "7.25 x"),
    ],
)
def test_numbers_for_people(value: float, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_code_in_a_question_is_shown_as_code(journal: Journal) -> None:
    asked = predict("claim-1", claim="<b>", question="How many of `a < b`?", guess=1, journal=journal)
    for shown in (asked._repr_mimebundle_(), journal._repr_mimebundle_()):
        assert "<code>a &lt; b</code>" in shown["text/html"] or "Committed" in shown["text/html"]
        assert "&lt;b&gt;" in shown["text/html"]
    assert "<code>a &lt; b</code>" in journal._repr_mimebundle_()["text/html"]
