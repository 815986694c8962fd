"""Requirements as data: statements that can fail earn marks, others an explanation; whatever is written is judged."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench.promises.table import Promise, Promises, State, Tried
from workbench.promises.under_load import enough, failures, speed, twice

from grading.answers import BEGIN, exercise, judge_answer
from grading.answers.reading import read
from grading.answers.requirements import Requirements
from grading.answers.url_shortener.requirements import characters
from grading.judge.report import RequirementVerdict

NOTEBOOK = Path(__file__).parents[2] / "grading/source/url-shortener/01-requirements.ipynb"
ID = "url-shortener/requirements"
GOOD = """
redirects-fast  = { percentile = 99, limit = "100 ms", at = "200 redirects/s", measured = "client" }
reads-available = { share_failed = "0.1 %", while = "one server is killed" }
clicks-counted  = { off_by = "1 %", within = "10 s" }
link-expiry     = { within = "2 s", answer = 410, default = "5 years" }
deletion        = { within = "2 s", by = "creator" }
not-guessable   = { guesses_per_hit = "10,000 guesses", links = "6 billion links" }
aliases         = { winners = 1, loser = 409, longest = "20 characters", refused = ["api", "docs", "metrics"] }
targets         = { schemes = ["https", "http"], longest = "2,000 characters" }
[scope]
in = ["shorten", "redirect", "custom alias", "expiry", "click count", "deletion", "target check", "rate limit"]
out = ["accounts", "link preview"]
contradicts = ["user_id", "GET stats", "rate limit"]
"""


def the_exercise() -> Requirements:
    found = exercise(ID)
    assert isinstance(found, Requirements)
    return found


FIELDS = [(each.id, field.name) for each in the_exercise().asked for field in each.fields]


def judged(text: str, id: str) -> RequirementVerdict:
    (found,) = [each for each in judge_answer(ID, text).requirements if each.id == id]
    return found


def got(text: str, id: str) -> str:
    finding = judged(text, id).finding
    return finding.got if finding else ""


def test_a_whole_answer_gets_full_marks() -> None:
    verdict = judge_answer(ID, GOOD)
    assert (verdict.points, verdict.max_points, verdict.isolation) == (10, 10, "data")
    assert verdict.notes == ()
    assert [part[1] for part in the_exercise().parts] == [each.id for each in verdict.requirements]


@pytest.mark.parametrize(
    ("right", "other"),
    [
        ("percentile = 99", 'percentile = "p99.9"'),
        ("percentile = 99", 'percentile = "95th"'),
        ('"100 ms"', '"0.1 s"'),
        ('"200 redirects/s"', '"12,000 redirects/minute"'),
        ('"200 redirects/s"', '"200 clicks/s"'),
        ('"0.1 %"', "0.001"),
        ('"client"', '"Server"'),
        ("answer = 410", 'answer = "404"'),
        ('"5 years"', '"60 months"'),
        ('by = "creator"', 'by = "Creator."'),
        ('"6 billion links"', '"6e9 links"'),
        ('["https", "http"]', '"https, http"'),
        ("winners = 1", 'winners = "1"'),
    ],
)
def test_other_words_for_the_same_will_do(right: str, other: str) -> None:
    assert right in GOOD
    assert judge_answer(ID, GOOD.replace(right, other)).passed


@pytest.mark.parametrize(
    ("id", "right", "wrong", "lost", "says"),
    [
        ("redirects-fast", "percentile = 99", "percentile = 50", 0.5, "hardly fails"),
        ("redirects-fast", "percentile = 99", "percentile = 100", 0.5, "No system keeps"),
        ("redirects-fast", "percentile = 99", 'percentile = "most"', 0.5, "is no number"),
        ("redirects-fast", "percentile = 99, ", "", 0.5, "`percentile` is not said"),
        ("redirects-fast", '"100 ms"', '"1 minute"', 0.5, "cannot fail"),
        ("redirects-fast", '"100 ms"', '"0.1 ms"', 0.5, "no system can pass"),
        ("redirects-fast", '"100 ms"', '"3 ms"', 0.5, "light in a fibre"),
        ("redirects-fast", '"100 ms"', '"50 to 100 ms"', 0.5, "is a range"),
        ("redirects-fast", '"100 ms"', '"100"', 0.5, "the unit is missing"),
        ("redirects-fast", '"200 redirects/s"', '"1 redirect/s"', 0.5, "Nothing has to wait"),
        ("redirects-fast", '"200 redirects/s"', '"1 million redirects/s"', 0.5, "25 times"),
        ("redirects-fast", '"client"', '"somewhere"', 0.5, "none of: client, server"),
        ("reads-available", '"0.1 %"', '"0 %"', 0.5, "No system keeps that"),
        ("reads-available", '"0.1 %"', '"10 %"', 0.5, "14 hours a month"),
        ("reads-available", '"one server is killed"', '"nothing is broken"', 0.5, "next to nothing fails"),
        ("clicks-counted", '"1 %"', '"50 %"', 0.5, "answers no question"),
        ("clicks-counted", '"10 s"', '"0 s"', 0.5, "slows every click"),
        ("link-expiry", "answer = 410", "answer = 302", 0.25, "has not ended"),
        ("link-expiry", '"2 s", answer', '"1 day", answer', 0.25, "a suggestion"),
        ("link-expiry", '"5 years"', '"1 day"', 0.5, "Shorter than a month"),
        ("deletion", '"creator"', '"anybody"', 0.5, "Everybody who has the link"),
        ("deletion", '"creator"', '"account owner"', 0.5, "leaves accounts out"),
        (
            "deletion",
            'deletion        = { within = "2 s"',
            'deletion        = { within = "1 day"',
            0.5,
            "minutes on end",
        ),
        ("not-guessable", '"10,000 guesses"', '"500 guesses"', 0.5, "each second"),
        ("not-guessable", '"6 billion links"', '"1 million links"', 0.5, "100 million links a month"),
        ("not-guessable", '"10,000 guesses"', '"1e12 guesses"', 0.5, "no longer short"),
        ("aliases", "winners = 1", "winners = 2", 0.25, "two places"),
        ("aliases", "loser = 409", "loser = 201", 0.25, "believe that it is theirs"),
        ("aliases", '"20 characters"', '"7 characters"', 0.25, "summer-sale"),
        ("aliases", '["api", "docs", "metrics"]', '["docs"]', 0.25, "under /api"),
        ("targets", '["https", "http"]', '["https", "javascript"]', 0.5, "a program"),
        ("targets", '["https", "http"]', '["http"]', 0.5, "begins with https"),
        ("targets", '"2,000 characters"', '"50 characters"', 0.5, "longer addresses"),
        ("scope", '"shorten", ', "", 0.5, "The brief asks for"),
        ("scope", 'out = ["accounts"', 'out = ["shorten", "accounts"', 0.25, "both in and out"),
        ("scope", 'out = ["accounts", ', "out = [", 0.25, "Nobody has decided about: accounts"),
        ("scope", 'contradicts = ["user_id", ', "contradicts = [", 0.5, "There is more"),
        (
            "scope",
            'contradicts = ["user_id", ',
            'contradicts = ["user_id", "long_url", ',
            0.5,
            "what the service is about",
        ),
    ],
)
def test_a_statement_that_cannot_fail_or_be_kept_loses(
    id: str, right: str, wrong: str, lost: float, says: str
) -> None:
    assert right in GOOD
    text = GOOD.replace(right, wrong)
    verdict = judge_answer(ID, text)
    assert verdict.points == 10 - lost
    assert judged(text, id).verdict == "fail"
    assert says in got(text, id)
    assert says in verdict.text().replace("\n" + " " * 18, " ")


def test_codes_that_nobody_would_type() -> None:
    text = GOOD.replace('"10,000 guesses"', '"1e12 guesses"').replace('"6 billion links"', '"1e12 links"')
    assert "codes of 14 characters" in got(text, "not-guessable")
    assert (characters(62.0**7), characters(62.0**7 + 1e6), characters(0)) == (7, 8, 0)


@pytest.mark.parametrize(("id", "name"), FIELDS)
def test_a_field_that_is_left_blank_is_named_and_nothing_else_is_lost(id: str, name: str) -> None:
    (asked,) = [each for each in the_exercise().asked if each.id == id]
    (points,) = [each.points for each in asked.fields if each.name == name]
    blank = "\n".join(tables(GOOD, without=(id, name)))
    verdict = judge_answer(ID, blank)
    assert verdict.points == 10 - points
    assert f"`{name}` is not said" in got(blank, id)


def tables(text: str, without: tuple[str, str]) -> list[str]:
    """The answer as one table a statement, a field a line, with `?` in one of them."""
    lines = []
    for id, statement in the_exercise().statements(text).items():
        lines.append(f"[{id}]")
        for field in statement.asked.fields:
            value = statement.values[field.name]
            shown = f"{value:g} {field.unit}".strip() if isinstance(value, float) else value
            shown = list(shown) if isinstance(shown, tuple) else shown
            lines.append(f"{field.name} = " + ('"?"' if (id, field.name) == without else repr(shown)))
    return lines


def test_tables_of_several_lines_are_the_same_as_inline_ones() -> None:
    text = "\n".join(tables(GOOD, without=("", "")))
    assert judge_answer(ID, text).passed
    assert the_exercise().read_back(text) == the_exercise().read_back(GOOD)


def test_what_was_understood_is_a_sentence_for_each() -> None:
    told = dict(the_exercise().read_back(GOOD))
    assert told["redirects-fast"] == (
        "99 % of the redirects are answered within 100 ms, at 200 redirects/s, measured at the client."
    )
    assert told["reads-available"] == "at most 0.1 % of the redirects fail while one server is killed."
    told = dict(the_exercise().read_back('redirects-fast = { percentile = 99, limit = "fast" }'))
    assert told["redirects-fast"].startswith(
        "99 % of the redirects are answered within …, at …, measured at the …"
    )
    assert "'fast' is no quantity" in told["redirects-fast"]
    assert told["deletion"] == "no answer yet"


def test_a_cell_that_cannot_be_read_says_where() -> None:
    verdict = judge_answer(ID, GOOD.replace('"100 ms"', "100 ms"))
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert "line 2 cannot be read" in verdict.crashed


def test_an_untouched_cell_gets_one_sentence() -> None:
    verdict = judge_answer(ID, 'redirects-fast = { percentile = "?" }\n[scope]\nin = ["?"]\n')
    assert verdict.findings() == []
    assert verdict.crashed is not None
    assert "Nothing is stated yet" in verdict.crashed


def test_strangers_are_named() -> None:
    verdict = judge_answer(ID, 'speed = "fast"\n' + GOOD.replace("winners = 1", "winners = 1, losers = 5"))
    assert verdict.passed
    assert verdict.notes == (
        "Nobody asks for `speed`: it is not judged.",
        "Nobody asks for `aliases.losers`: it is not judged.",
    )


def test_every_statement_explains_itself_without_giving_its_numbers_away() -> None:
    for asked in the_exercise().asked:
        assert all(text for text in (asked.vague, asked.needs, asked.why, asked.read_next))
        assert asked.sentence.count("{") == len(asked.fields)
        for field in asked.fields:
            if field.low is not None:
                assert field.below
            if field.high is not None:
                assert field.above
            assert not set(field.choices) & set(field.wrong)


SCALARS = st.one_of(
    st.text(max_size=40),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from(["?", "99 %", "1 s", "api"]),
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=5), st.dictionaries(st.text(max_size=5), SCALARS, max_size=2)
)


def toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return (
                '"'
                + "".join(c if c.isalnum() else f"\\U{ord(c):08X}" for c in value if ord(c) < 0xD800)
                + '"'
            )
        case list():
            return f"[{', '.join(toml(each) for each in value)}]"
        case dict():
            return "{" + ", ".join(f"k{k} = {toml(v)}" for k, v in enumerate(value.values())) + "}"
    return str(value)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8))
def test_whatever_stands_in_a_field_is_judged(written: dict[tuple[str, str], object]) -> None:
    lines = [f"{id}.{name} = {toml(value)}" for (id, name), value in written.items()]
    verdict = judge_answer(ID, "\n".join(lines))
    assert verdict.crashed is None or verdict.points == 0
    assert 0 <= verdict.points <= 10
    assert verdict.text()
    assert len(the_exercise().read_back("\n".join(lines))) == len(the_exercise().asked)


@given(st.sampled_from([each.id for each in the_exercise().asked]), VALUES)
def test_whatever_stands_for_a_statement_is_judged(id: str, value: object) -> None:
    assert judge_answer(ID, f"{id} = {toml(value)}").points <= 2


@pytest.mark.parametrize(
    "huge", ["9" * 4000, "0x" + "f" * 20_000, "1e400", "-1e400", "nan", "1979-05-27", "[[[[]]]]"]
)
def test_what_is_beyond_all_measure_is_judged(huge: str) -> None:
    for id, name in FIELDS:
        verdict = judge_answer(ID, f"{id}.{name} = {huge}")
        assert (verdict.crashed, verdict.points) == (None, 0)


def test_the_cell_of_the_notebook_asks_for_every_field_and_its_solution_is_right() -> None:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    (text,) = ["".join(cell["source"]) for cell in cells if cell["id"] == "requirements"]
    first, _, rest = text.partition("\n")
    template, _, _ = rest.partition(BEGIN)
    assert first == f"%%answer {ID}"
    asked = read(template).values
    assert [(id, name) for id, table in asked.items() for name in table] == FIELDS
    assert {value for table in asked.values() for value in map(str, table.values())} == {"?", "['?']"}
    assert judge_answer(ID, f"\n{template}").points == 0
    assert judge_answer(ID, f"\n{rest}").passed


def test_results_are_a_table_in_text_and_in_html() -> None:
    rows = [
        Promise("a", "it <b>is</b> fast", Tried("kept", "99 % took 3 ms.")),
        Promise("b", "it never fails", Tried("broken", "1 of 10 failed.")),
    ]
    found = Promises(rows, 3.2)
    assert found.headline() == "Your 2 statements, tried on this stack in 3 s: 1 kept, 1 broken, 0 not shown."
    assert found.broken == ["b"]
    assert found["a"].state == found[0].state == "kept"
    assert "✗ broken: b. it never fails.\n    1 of 10 failed." in str(found)
    html = found._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;is" in html
    assert 'scope="col"' in html
    with pytest.raises(KeyError, match="there are: a, b"):
        found["c"]


def test_none_of_a_thousand_is_not_never() -> None:
    assert round(enough(0.003)) == 1000
    assert enough(0) == float("inf")


@pytest.mark.parametrize(
    ("fast", "share", "number", "wanted", "lag", "state", "says"),
    [
        (True, 0.99, 600, 200, 0, "kept", ""),
        (True, 0.99, 600, 200, 500, "kept", ""),  # late, and fast enough all the same
        (False, 0.99, 600, 200, 0, "broken", ""),
        (False, 0.99, 600, 5000, 0, "broken", ""),  # too slow for less already
        (False, 0.99, 600, 200, 500, "not shown", "This machine was busy"),
        (True, 0.99, 600, 5000, 0, "not shown", "beyond this machine"),
        (True, 0.9999, 600, 200, 0, "not shown", "it takes 30,000 to tell"),
    ],
)
def test_what_a_load_says_of_speed(
    fast: bool, share: float, number: int, wanted: float, lag: float, state: str, says: str
) -> None:
    tried = speed("Seen.", fast, share, number, wanted, min(wanted, 600.0), lag)
    assert tried.state == state
    assert tried.figures.startswith("Seen.")
    assert says in tried.figures


@pytest.mark.parametrize(
    ("failed", "sent", "lag", "state", "says"),
    [
        (0, 3000, 0, "kept", ""),
        (3, 3000, 0, "kept", ""),
        (4, 3000, 0, "broken", ""),
        (4, 3000, 500, "not shown", "This machine was busy"),
        (0, 1000, 0, "not shown", "it takes 3,000 to tell"),
        (0, 0, 0, "not shown", "it takes 3,000 to tell"),
    ],
)
def test_what_a_load_says_of_failures(failed: int, sent: int, lag: float, state: str, says: str) -> None:
    tried = failures("Seen.", failed, sent, 0.001, lag)
    assert tried.state == state
    assert says in tried.figures


def test_what_fails_without_the_fault_is_not_put_down_to_it() -> None:
    assert failures("Seen.", 40, 3000, 0.001, 0, without=2).state == "not shown"
    assert failures("Seen.", 0, 3000, 0.001, 0, without=2).state == "kept"


@pytest.mark.parametrize(
    ("states", "state", "runs"),
    [
        (["kept"], "kept", 1),
        (["not shown"], "not shown", 1),
        (["broken", "broken"], "broken", 2),
        (["broken", "kept"], "not shown", 2),
        (["broken", "not shown"], "not shown", 2),
    ],
)
def test_a_fault_breaks_a_promise_only_if_it_does_so_twice(states: list[str], state: str, runs: int) -> None:
    seen: list[Tried] = []

    async def run() -> Tried:
        seen.append(Tried(cast(State, states[len(seen)]), f"Run {len(seen) + 1}."))
        return seen[-1]

    tried = asyncio.run(twice(run))
    assert (tried.state, len(seen)) == (state, runs)
    if len(set(states)) > 1:
        assert tried.figures.startswith("Run 1. Once more: Run 2. The two differ")
