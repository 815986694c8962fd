"""How the table of journeys and faults judges a journey, and what it says of a prediction."""

import pytest
from workbench.chaos import fidelity
from workbench.chaos.faults import FAULTS, grew
from workbench.chaos.run import Outcome
from workbench.chaos.show import Journeys
from workbench.chaos.table import JOURNEYS, cell, markdown, misses, predictions, record, row
from workbench.chaos.visitors import DONE, Visit
from workbench.stack import Metrics


def visits(*ends: str, journey: str = "redirect", seconds: float = 0.01) -> list[Visit]:
    return [Visit(journey, float(number), seconds, end) for number, end in enumerate(ends)]


def test_a_journey_works_while_nearly_all_requests_are_done_in_time() -> None:
    assert cell(visits(*[DONE] * 99, "503")).state == "works"
    assert cell(visits(*[DONE] * 97, *["503"] * 3)).state == "degraded"
    assert cell(visits(*[DONE] * 100, seconds=1.5)).state == "degraded"


def test_a_journey_fails_when_nearly_nobody_is_served() -> None:
    assert cell(visits(*["503"] * 9, DONE)).state == "fails"
    assert cell(visits(*["503"] * 8, DONE, DONE)).state == "degraded"


def test_one_visit_is_enough_for_a_word_and_none_is_not() -> None:
    assert cell(visits(DONE)).p99 == 0.01
    with pytest.raises(ValueError, match="nobody asked"):
        cell([])


def test_the_table_names_what_was_predicted_otherwise() -> None:
    during = [visit for journey in JOURNEYS for visit in visits(DONE, "503", journey=journey)]
    outcome = Outcome("cache killed", during, True, 1.0, 2.0, answered=3, counted=3)
    predicted = {"cache killed": dict.fromkeys(JOURNEYS, "degraded") | {"delete": "works"}}
    told = markdown([outcome], predicted)
    assert told.count("degraded (50% failed, p99 10 ms)") == 4
    assert told.count("; predicted: works") == 1
    assert misses({"cache killed": row(outcome)}, predicted) == [
        "cache killed: delete was to be works, and degraded (50% failed, p99 10 ms)"
    ]
    explained = {"cache killed": predicted["cache killed"] | {"why": "a guess", "learned": "better"}}
    said = fidelity.surprises({"cache killed": record(outcome)}, explained)
    assert said == "**cache killed**\n- thought: a guess\n- learned: better\n"
    assert record(outcome)["journeys"]["shorten"]["ends"] == {DONE: 1, "503": 1}


def test_each_fault_has_a_prediction_for_each_journey_with_its_reason() -> None:
    predicted = predictions()
    assert set(predicted) == set(FAULTS)
    for cells in predicted.values():
        assert set(cells) >= {*JOURNEYS, "why"}
        assert {cells[journey] for journey in JOURNEYS} <= {"works", "degraded", "fails"}


def test_a_figure_that_grew_shows_that_the_fault_met_work() -> None:
    met = grew("cache_commands_total", "error")
    before = Metrics.parse('cache_commands_total{command="GET",outcome="error"} 1\n')
    after = Metrics.parse('cache_commands_total{command="GET",outcome="error"} 2\n')
    assert not met(before, before)
    assert met(before, after)
    assert met(Metrics(()), before)


def outcome_of(fault: str, end: str, broken: tuple[str, ...] = ()) -> Outcome:
    during = [visit for journey in JOURNEYS for visit in visits(*[end] * 20, journey=journey)]
    return Outcome(fault, during, True, 1.0, 2.0, answered=3, counted=3, broken=list(broken))


def test_where_two_profiles_differ_is_told_with_the_reason() -> None:
    embedded = {"log killed": record(outcome_of("log killed", DONE))}
    compose = {"log killed": record(outcome_of("log killed", "503"))}
    predicted = {
        "log killed": dict.fromkeys(JOURNEYS, "works") | {"why": "x", "differs": "an address vanishes"}
    }
    assert fidelity.differing(embedded, embedded) == []
    assert fidelity.differing(embedded, compose) == [("log killed", journey) for journey in JOURNEYS]
    told = fidelity.difference(embedded, compose, predicted)
    assert "0 of 4 cells are the same" in told
    assert "| log killed | delete | works (0% failed, p99 10 ms) | fails (100% failed, p99 10 ms) |" in told
    assert "**log killed**: an address vanishes" in told


def test_a_component_of_ones_own_shows_where_it_made_things_worse() -> None:
    reference = Journeys("embedded", [outcome_of("cache cut off", DONE)])
    mine = Journeys("embedded", [outcome_of("cache cut off", "503", ("a link is <gone>",))], reference)
    assert mine.worse() == [("cache cut off", journey) for journey in JOURNEYS]
    assert "✗ fails: 100% failed, p99 10 ms (worse)" in mine.text()
    assert "Broken: cache cut off: a link is <gone>" in mine.text()
    assert "a link is &lt;gone&gt;" in mine.html()
    assert reference.worse() == []
    assert "No promise was broken." in reference.html()
