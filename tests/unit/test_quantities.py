"""Quantities, formulas and envelopes: what is read, what is refused, and in which words."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbench.notebook.estimate import Estimate, compared, estimate
from workbench.notebook.sheet import Sheet

from grading.answers.formula import BadFormula, evaluate, names, written
from grading.answers.quantities import NotAQuantity, Quantity, digits, parse


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("38.6 links/s", 38.6, 38.6, "links/s"),
        ("  3,858 redirects/s ", 3858, 3858, "redirects/s"),
        ("3000 to 5000 redirects/s", 3000, 5000, "redirects/s"),
        ("30-50 links/s", 30, 50, "links/s"),
        ("30 – 50 links/s", 30, 50, "links/s"),
        ("100 million links", 1e8, 1e8, "links"),
        ("1 to 2 billion links", 1e9, 2e9, "links"),
        ("62^7 codes", 3521614606208, 3521614606208, "codes"),
        ("6e9 links", 6e9, 6e9, "links"),
        ("about 33 GB", 33, 33, "GB"),
        ("80 %", 80, 80, "%"),
        ("7", 7, 7, ""),
        ("500 B/link", 500, 500, "B/link"),
        ("12 links per second", 12, 12, "links per second"),
        ("3_000 ms", 3000, 3000, "ms"),
    ],
)
def test_what_is_read(text: str, low: float, high: float, unit: str) -> None:
    assert parse(text) == Quantity(low, high, unit)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no quantity"),
        ("many", "is no quantity"),
        ("-3 links", "is no quantity"),
        ("50 to 30 links/s", "turn the two round"),
        ("5 parsecs", "'parsecs' is no unit"),
        ("5 links/", "cannot be read as a unit"),
        ("5 links**99999999", "is no unit"),
        ("5 __import__('os')", "is no unit"),
        ("1e999 links", "too large"),
        ("9^999 links", "too large"),
        ("1" * 121, "too many"),
        ("nan links", "is no quantity"),
    ],
)
def test_what_is_refused_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(NotAQuantity, match=says.replace("(", r"\(").replace(")", r"\)").replace("*", r"\*")):
        parse(text)


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    with suppress(NotAQuantity):
        assert parse(text).low >= 0


def test_units_are_turned_into_each_other_and_kinds_are_kept_apart() -> None:
    assert parse("12 million links/month").in_unit("links/s").low == pytest.approx(4.6296, abs=1e-4)
    assert parse("3 TB").in_unit("GB").low == pytest.approx(3000)
    assert parse("1 GiB").in_unit("MB").low == pytest.approx(1073.741824)
    assert parse("8 bit").in_unit("B").low == pytest.approx(1)
    assert parse("20 %").in_unit("").low == pytest.approx(0.2)
    assert parse("12 links per second").in_unit("links/minute").low == pytest.approx(720)
    for text, unit in (("5 links/s", "redirects/s"), ("5 GB", "GB/s"), ("5 s", "B")):
        with pytest.raises(NotAQuantity, match="not the same kind of thing"):
            parse(text).in_unit(unit)
    with pytest.raises(NotAQuantity, match="the unit is missing: write links after the number"):
        parse("5").in_unit("links")


@pytest.mark.parametrize(
    ("text", "instead"),
    [("22 GB to 23 GB", "22 to 23 GB"), ("1 ms - 10 s", "1 to 10,000 ms"), ("3 s–4 s", "3 – 4 s")],
)
def test_a_unit_that_comes_too_early_is_told_how_it_is_meant(text: str, instead: str) -> None:
    with pytest.raises(NotAQuantity, match=f"at the end: {instead}$"):
        parse(text)


def test_a_range_stands_for_its_geometric_middle() -> None:
    assert parse("10 to 1000 links").middle == pytest.approx(100)
    assert str(parse("3000 to 5000 redirects/s")) == "3,000 to 5,000 redirects/s"
    shown = ["0", "0.167", "38.6", "3,858", "302 million", "10 billion", "3.52 trillion", "4e+20"]
    assert [digits(x) for x in (0, 0.1666, 38.58, 3858.02, 302.4e6, 1e10, 3.5216e12, 4e20)] == shown


GIVEN = {
    "links": parse("100e6 links"),
    "month": parse("30 days"),
    "size": parse("500 B/link"),
    "n": parse("62"),
}


@pytest.mark.parametrize(
    ("formula", "unit", "value"),
    [
        ("links / month", "links/s", 38.58),
        ("links * size", "GB", 50),
        ("n ** 7", "", 3521614606208),
        ("log(n ** 7) / log(n)", "", 7),
        ("ceil(6.2)", "", 7),
        ("-(2 - 5) * 2", "", 6),
        ("links * size * (1 - 20 / 100)", "GB", 40),
    ],
)
def test_formulas(formula: str, unit: str, value: float) -> None:
    assert evaluate(formula, GIVEN).in_unit(unit).low == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("links +", "is no formula"),
        ("clicks * 2", "'clicks' .* not among what is given"),
        ("links + month", "not of one kind"),
        ("links ** month", "bare number"),
        ("2 ** 999", "too large"),
        ("1 / 0", "divides by zero"),
        ("__import__('os')", "cannot stand in a formula"),
        ("links.magnitude", "cannot stand in a formula"),
        ("[1][0]", "cannot stand in a formula"),
        ("True + 1", "cannot stand in a formula"),
    ],
)
def test_what_is_no_formula(formula: str, says: str) -> None:
    with pytest.raises(BadFormula, match=says):
        evaluate(formula, GIVEN)


def test_a_formula_is_written_as_by_hand() -> None:
    assert written("links / month * (1 + n) ** 2", {"links": "100 links"}) == "100 links ÷ month × (1 + n)^2"
    assert written("a / (b * c) - (d - e)", {}) == "a ÷ (b × c) − (d − e)"
    assert names("a * log(b) + a") == ["a", "b"]


def sheet() -> Sheet:
    return Sheet(
        {"new_links": "100 million links", "month": "30 days", "reads_per_link": "100 redirects/link"},
        "writes = new_links / month [links/s]\nreads = writes * reads_per_link [redirects/s]",
    )


def test_what_follows_follows() -> None:
    made = sheet()
    assert made["reads"].low == pytest.approx(3858.02, abs=0.01)
    made.assume("new_links", 1e9)
    assert made["reads"].low == pytest.approx(38580.2, abs=0.1)
    assert str(made["new_links"]) == "1 billion links"
    with pytest.raises(KeyError):
        made["nothing"]


def test_an_envelope_that_cannot_be_worked_out_is_refused_at_once() -> None:
    with pytest.raises(BadFormula, match="stands nowhere above it"):
        Sheet({"a": "1"}, "b = a * c [links]")
    with pytest.raises(BadFormula, match=r"not of one kind|not the same kind"):
        Sheet({"a": "1 link", "b": "1 s"}, "c = a + b [links]")
    with pytest.raises(BadFormula, match="is no step"):
        Sheet({"a": "1"}, "b is a")
    with pytest.raises(ValueError, match="more than all there is"):
        Sheet({"a": "80 %"}, "b = 1 - a []").assume("a", 120)
    for wrong in (0, -1, float("nan"), True, "7"):
        with pytest.raises(ValueError, match="no number above 0"):
            sheet().assume("new_links", wrong)  # type: ignore[arg-type]


def shown() -> Estimate:
    return estimate(
        "Rates",
        {"new_links": "100 million links", "month": "30 days"},
        "writes = new_links / month [links/s]",
        claims={"writes": ("url-est-writes-per-second", "40 links/s")},
    )


def test_the_page_can_turn_an_assumption_and_nothing_else() -> None:
    made = shown()
    assert "claimed: 40 links/s (url-est-writes-per-second); the claim is 3.68 % too high" in made.text()
    assert "100 million links ÷ 30 days" in made.text()
    made._told(made, {"kind": "set", "name": "month", "value": 15}, [])
    assert made["writes"].low == pytest.approx(77.16, abs=0.01)
    assert made.status == "month is 15 days: writes = 77.2 links/s"
    for message in (
        "set",
        {"kind": "set", "name": "month"},
        {"kind": "set", "name": "x", "value": 1},
        {"kind": []},
    ):
        made._told(made, message, [])
    assert made["writes"].low == pytest.approx(77.16, abs=0.01)
    made._told(made, {"kind": "reset"}, [])
    assert made["writes"].low == pytest.approx(38.58, abs=0.01)


def test_a_claim_must_be_of_a_step_and_of_its_kind() -> None:
    with pytest.raises(ValueError, match="no step has that name"):
        estimate("t", {"a": "1 link"}, "b = a [links]", claims={"c": ("id", "1 link")})
    with pytest.raises(ValueError, match="not the same kind"):
        estimate("t", {"a": "1 link"}, "b = a [links]", claims={"b": ("id", "1 s")})


def test_how_far_a_claim_is_off() -> None:
    assert compared(350_000, 3858) == "the claim is 90.7 times too high"
    assert compared(3858, 3858) == "the same"
    assert compared(30, 100) == "the claim is 3.33 times too low"
