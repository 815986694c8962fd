"""PromQL over recorded samples: known answers, what is refused and how, and what holds for any samples and any text.

That Prometheus agrees is tested with Prometheus itself, in tests/compose/test_alert_rules.py.
"""

from __future__ import annotations

import math
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.answers.promql.evaluate import Samples, TooMuch, evaluate
from grading.answers.promql.lexer import BadExpression
from grading.answers.promql.parser import MAX_TEXT, parse
from grading.answers.promql.patterns import BadPattern, pattern
from grading.answers.promql.values import Column, Labels, NoValue, Scalar, labels_of

SECONDS = 11


def labels(name: str, **more: str) -> Labels:
    return labels_of({"__name__": name, **more})


def ramp(step: float, begin: float = 0.0) -> Column:
    return [begin + step * second for second in range(SECONDS)]


def always(value: float | None) -> Column:
    return [value] * SECONDS


SERIES: dict[Labels, Column] = {
    labels("requests", instance="a", status="302"): ramp(10, 100),
    labels("requests", instance="a", status="503"): ramp(1, 50),
    labels("requests", instance="b", status="302"): [0, 10, 20, 30, 40, None, 5, 15, 25, 35, 45],
    labels("up", instance="a"): always(1),
    labels("up", instance="b"): [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1],
    labels("waiting", instance="a"): [0, 4, 2, 8, 6, 3, 1, 0, 0, 5, 7],
    labels("weight", instance="b"): always(2),
    labels("seconds_bucket", le="0.1"): ramp(6),
    labels("seconds_bucket", le="0.5"): ramp(9),
    labels("seconds_bucket", le="+Inf"): ramp(10),
    labels("odd", kind="NaN"): always(math.nan),
    labels("young", instance="a"): [None] * 8 + [3, 4, 5],
}
SAMPLES = Samples(SERIES, SECONDS)


def at(expression: str, second: int = 10) -> Any:
    """The number, or `{"a=1, b=2": value}` of each element."""
    value = evaluate(parse(expression), SAMPLES)
    if isinstance(value, Scalar):
        return value.values[second]
    return {
        ", ".join(f"{name}={text}" for name, text in found): column[second]
        for found, column in value.items()
        if column[second] is not None
    }


def outcome(text: str) -> str:
    """How reading and evaluating it ended: with a value, or with words."""
    try:
        evaluate(parse(text), SAMPLES)
    except BadExpression as error:
        return error.told(text)
    except NoValue as error:
        return str(error)
    return "a value"


KNOWN: list[tuple[str, Any]] = [
    # numbers, and what binds more
    ("1 + 2 * 3 ^ 2", 19),
    ("2 ^ 3 ^ 2", 512),
    ("-2 ^ 2", -4),
    ("(1 + 2) * -3 % 5", -4),
    ("10 - 4 - 3", 3),
    ("1 / 0", math.inf),
    ("-1 / 0", -math.inf),
    ("0x1F + 1e1 + .5", 41.5),
    ("1 > bool 0", 1),
    ("2 == bool 3", 0),
    # selecting
    ('up{instance="a"}', {"__name__=up, instance=a": 1}),
    ('up{instance!="a"}', {"__name__=up, instance=b": 1}),
    ('up{instance=~"a|c"}', {"__name__=up, instance=a": 1}),
    ('up{instance!~"[ab]"}', {}),
    ('{__name__=~"weigh.", instance="b"}', {"__name__=weight, instance=b": 2}),
    ("nobody", {}),
    ("waiting offset 3s", {"__name__=waiting, instance=a": 0}),
    # counters
    ('rate(requests{status="503"}[5s])', {"instance=a, status=503": 1}),
    ('increase(requests{status="503"}[4s])', {"instance=a, status=503": 4}),
    ('irate(requests{instance="b"}[5s])', {"instance=b, status=302": 10}),
    ('resets(requests{instance="b"}[10s])', {"instance=b, status=302": 1}),
    ('delta(requests{instance="b"}[8s])', {"instance=b, status=302": 25}),
    # gauges over time
    ("max_over_time(waiting[4s])", {"instance=a": 7}),
    ("min_over_time(waiting[4s])", {"instance=a": 0}),
    ("avg_over_time(waiting[1s])", {"instance=a": 6}),
    ("sum_over_time(waiting[3s])", {"instance=a": 12}),
    ("count_over_time(young[10s])", {"instance=a": 3}),
    ("last_over_time(waiting[3s])", {"__name__=waiting, instance=a": 7}),
    ("changes(waiting[4s])", {"instance=a": 3}),
    # aggregations
    ("sum(up)", {"": 2}),
    ("sum by (instance) (requests)", {"instance=a": 260, "instance=b": 45}),
    ("sum(requests) by (status)", {"status=302": 245, "status=503": 60}),
    ("max without (status) (requests)", {"instance=a": 200, "instance=b": 45}),
    ("count(requests)", {"": 3}),
    ("avg(up)", {"": 1}),
    ("sum(nobody)", {}),
    # comparing keeps what it is true of
    ("waiting > 5", {"__name__=waiting, instance=a": 7}),
    ("waiting > 9", {}),
    ("5 < waiting", {"__name__=waiting, instance=a": 7}),
    ("waiting > bool 9", {"instance=a": 0}),
    ("odd == odd", {}),
    ("odd != odd", {"__name__=odd, kind=NaN": math.nan}),
    # vector with vector
    ("up * on (instance) weight", {"instance=b": 2}),
    ("waiting / up", {"instance=a": 7}),
    ('requests{status="503"} / ignoring (status) requests{status="302"}', {"instance=a": 0.3}),
    ("up and waiting > 6", {"__name__=up, instance=a": 1}),
    ("up and waiting > 7", {}),
    ("up unless waiting", {"__name__=up, instance=b": 1}),
    ("weight or up", {"__name__=weight, instance=b": 2, "__name__=up, instance=a": 1}),
    ("up and on () sum(requests) > 1", {"__name__=up, instance=a": 1, "__name__=up, instance=b": 1}),
    ("sum(nobody) or vector(0)", {"": 0}),
    # functions
    ("absent(nobody)", {"": 1}),
    ('absent(nobody{job="x", instance=~"a"})', {"job=x": 1}),
    ("absent(up)", {}),
    ("absent_over_time(nobody[5s])", {"": 1}),
    ("scalar(weight) + 1", 3),
    ("scalar(up)", math.nan),
    ("clamp_max(waiting, 3)", {"instance=a": 3}),
    ("abs(-waiting)", {"instance=a": 7}),
    ("histogram_quantile(0.3, seconds_bucket)", {"": 0.05}),
    ("histogram_quantile(0.75, seconds_bucket)", {"": 0.3}),
    ("histogram_quantile(0.95, seconds_bucket)", {"": 0.5}),
    ("histogram_quantile(2, seconds_bucket)", {"": math.inf}),
    ('histogram_quantile(0.5, seconds_bucket{le="0.1"})', {"": math.nan}),
    ("histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5s])))", {"": 0.5}),
    ("SUM(up) # capitals, and a comment", {"": 2}),
]


@pytest.mark.parametrize(("expression", "expected"), KNOWN)
def test_known_answers(expression: str, expected: Any) -> None:
    found = at(expression)
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        assert list(found.values()) == pytest.approx([expected[key] for key in found], nan_ok=True)
    else:
        assert found == pytest.approx(expected, nan_ok=True)


def test_a_series_ends_with_the_first_scrape_that_does_not_have_it() -> None:
    assert at('requests{instance="b"}', 5) == {}
    assert at('requests{instance="b"}', 6) == {"__name__=requests, instance=b, status=302": 5}
    assert at("young", 7) == {}


def test_what_a_counter_had_before_it_began_anew_is_not_lost() -> None:
    """40 when it ended, 45 since: of the last ten seconds, and nothing is stretched, for the range is full."""
    assert at('increase(requests{instance="b"}[10s])') == {"instance=b, status=302": pytest.approx(85)}


def test_a_range_that_is_not_full_is_stretched_by_half_a_gap_and_never_below_zero() -> None:
    assert at("delta(young[10s])") == {"instance=a": pytest.approx(2 * 2.5 / 2)}
    grows = Samples({labels("c"): [None] * 8 + [1.0, 5.0, 9.0]}, SECONDS)
    value = evaluate(parse("increase(c[10s])"), grows)
    assert isinstance(value, dict)
    assert value[()][10] == pytest.approx(8 * (2 + 0.25) / 2)  # it was zero a quarter of a second before


@pytest.mark.parametrize(
    ("expression", "column", "says"),
    [
        ("", 1, "expected a metric"),
        ("up >", 5, "expected a metric, a function, a number or ( here, not the end"),
        ("up 5", 4, "expected an operator or the end, not '5'"),
        ("sum(up", 7, "expected ')' at the end of sum(…), not the end"),
        ('up{instance="a"', 16, "expected '}' after the matchers"),
        ("up{instance=a}", 13, "expected a text in quotes"),
        ('up{instance~"a"}', 12, "begins nothing that PromQL knows"),
        ('up{instance="a}', 13, "does not end"),
        ("rate(up)", 6, "rate takes a range vector such as metric[30s], not an instant vector"),
        ("up[30s]", 1, "of which nothing is asked"),
        ("sum(up[30s])", 1, "sum takes an instant vector"),
        ("rate(sum(up)[30s])", 13, "[ ] goes with a metric only"),
        ("rate(up[30])", 9, "expected a time such as 30s"),
        ("rate(up[1h])", 9, "whole seconds are taken, from 1s to 10m"),
        ("rate(up[1500ms])", 9, "whole seconds are taken"),
        ("rates(up[3s])", 1, "there is no function 'rates'"),
        ("1 > 0", 3, "needs bool"),
        ("up and 1", 4, "goes between vectors"),
        ("up + bool up", 4, "bool goes with a comparison"),
        ("{}", 1, "every series there is"),
        ('{instance=~".*"}', 1, "every series there is"),
        ("up == 'a'", 7, "a text is no value"),
        ("rate(up[30s], 2)", 1, "takes 1 argument(s), not 2"),
        ('up{instance=~"(a"}', 14, "a ( without its )"),
        ('up{instance=~"a**"}', 14, "repeats what is repeated already"),
        ("30s", 1, "stands in [ ] or after offset only"),
        ("up ; up", 4, "begins nothing"),
        # real PromQL, and not taken
        ("topk(3, up)", 1, "the aggregation topk is real PromQL, which this exercise does not take"),
        ("quantile(0.9, up)", 1, "the aggregation quantile is real PromQL"),
        ("predict_linear(up[30s], 60)", 1, "the function predict_linear is real PromQL"),
        ("time() > 5", 1, "the function time is real PromQL"),
        ("max_over_time(rate(up[5s])[30s:1s])", 31, "a subquery ([a:b]) is real PromQL"),
        ("rate(up[30s:1s])", 12, "a subquery ([a:b]) is real PromQL"),
        ("up @ 5", 4, "the modifier @ is real PromQL"),
        ("up offset -5s", 11, "an offset into the future is real PromQL"),
        ("up * on (instance) group_left up", 20, "group_left (many-to-one matching)"),
        ("up atan2 up", 4, "the operator atan2 is real PromQL"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(expression: str, column: int, says: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(expression)
    told = caught.value.told(expression)
    assert says in told
    assert told.startswith(f"column {column}: "), told


def test_in_several_lines_the_line_is_told_too() -> None:
    with pytest.raises(BadExpression) as caught:
        parse("sum(up)\n  / sum(upp[)")
    assert caught.value.told("sum(up)\n  / sum(upp[)").startswith("line 2, column 13: ")


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("requests + up", None),
        ("requests / on (instance) up", "several elements on the left"),
        ("up / on (instance) requests", "several elements on the right"),
        ('rate({__name__=~"up|waiting", instance="a"}[5s])', "several elements"),
    ],
)
def test_what_meets_several_is_no_value(expression: str, says: str | None) -> None:
    if says is None:
        assert at(expression) == {}
        return
    with pytest.raises(NoValue, match=says):
        at(expression)


# --- whatever the samples are

COUNTER = st.lists(st.one_of(st.none(), st.integers(0, 1000).map(float)), min_size=2, max_size=40)


def one(expression: str, column: Column) -> Column:
    value = evaluate(parse(expression), Samples({labels("c"): column}, len(column)))
    assert isinstance(value, dict)
    return next(iter(value.values()))


@given(COUNTER, st.integers(1, 50))
def test_a_counter_never_falls(column: Column, window: int) -> None:
    rates = one(f"rate(c[{window}s])", column)
    increases = one(f"increase(c[{window}s])", column)
    for rate, increase in zip(rates, increases, strict=True):
        assert (rate is None) == (increase is None)
        if rate is not None and increase is not None:
            assert rate >= 0
            assert increase == pytest.approx(rate * window)


@given(COUNTER, st.integers(1, 50))
def test_extremes_hold_the_mean_between_them(column: Column, window: int) -> None:
    low, mean, high = (one(f"{name}_over_time(c[{window}s])", column) for name in ("min", "avg", "max"))
    for a, b, c in zip(low, mean, high, strict=True):
        assert (a is None) == (b is None) == (c is None)
        if a is not None and b is not None and c is not None:
            assert a <= b + 1e-9
            assert b <= c + 1e-9


@given(COUNTER, st.integers(0, 20))
def test_an_offset_is_what_was_before(column: Column, back: int) -> None:
    if back:
        assert one(f"c offset {back}s", column) == [*[None] * back, *column][: len(column)]


@given(COUNTER, st.floats(-10, 1010))
def test_a_comparison_and_its_contrary_share_the_elements(column: Column, limit: float) -> None:
    above, not_above = one(f"c > {limit:f}", column), one(f"c <= {limit:f}", column)
    assert [a if a is not None else b for a, b in zip(above, not_above, strict=True)] == column
    both = one(f"(c > {limit:f}) and (c <= {limit:f})", column)
    assert set(both) == {None}
    assert one(f"(c > {limit:f}) or (c <= {limit:f})", column) == column


@given(st.lists(COUNTER.map(lambda each: (each * 20)[:20]), min_size=1, max_size=5))
def test_sums_of_groups_are_the_sum(columns: list[Column]) -> None:
    series = {labels("c", n=str(n), odd=str(n % 2)): column for n, column in enumerate(columns)}
    samples = Samples(series, 20)
    whole, again = (evaluate(parse(text), samples) for text in ("sum(c)", "sum(sum by (odd) (c))"))
    assert whole == again


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert outcome(text)


WORDS = st.sampled_from(
    [
        *(
            "up",
            "requests",
            "sum",
            "rate",
            "by",
            "(",
            ")",
            "[5s]",
            "{",
            "}",
            "instance",
            '="a"',
            "+",
            "-",
            "/",
            "^",
        ),
        *(
            ">",
            "bool",
            "and",
            "or",
            "unless",
            "on",
            "ignoring",
            "1",
            "0.5",
            "offset 2s",
            "vector",
            ",",
            "absent",
        ),
        *(
            "histogram_quantile",
            "seconds_bucket",
            "waiting",
            "1e308",
            "scalar",
            "%",
            "ceil",
            "abs",
            "clamp_min",
        ),
    ]
)


@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_any_words_are_evaluated_or_refused(text: str) -> None:
    assert outcome(text)


# --- patterns

REGEX = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", ""]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join).map(lambda both: f"({both})"),
        st.tuples(inner, st.sampled_from("*+?")).map(lambda each: f"(?:{each[0]}){each[1]}"),
    ),
    max_leaves=6,
)


@given(REGEX, st.text("abc", max_size=6))
def test_a_pattern_matches_what_pythons_own_does(regex: str, text: str) -> None:
    try:
        found = pattern(regex)
    except BadPattern:
        return
    assert found.matches(text) == (re.fullmatch(regex, text) is not None)


@pytest.mark.parametrize(
    "regex", ["(a*)*b", "(((a+)+)+)+b", "((a|a)+)+b", "(.*)(.*)(.*)(.*)(.*)b", "a?" * 90 + "a" * 20]
)
def test_no_pattern_takes_long(regex: str) -> None:
    began = time.process_time()
    assert pattern(regex).matches("a" * 300) is False
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "regex", ["(" * 300, "[", "a{3}", "^a$", "*", "\\", "\\1", "(?=a)", "[b-a]", "a" * 201]
)
def test_what_is_no_pattern_is_refused(regex: str) -> None:
    with pytest.raises(BadPattern):
        pattern(regex)


# --- cost


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000,
        "-" * 1_999 + "1",
        "sum(" * 400,
        "1" + "^1" * 900,
        "up" + "+up" * 600,
        "9" * 1_500,
        "1" + "+1" * 990,
    ],
)
def test_deep_and_long_expressions_are_refused_or_read(text: str) -> None:
    began = time.process_time()
    assert outcome(text)
    assert time.process_time() - began < 1
    assert len(text) <= MAX_TEXT or text.startswith("(")


def test_what_looks_at_too_much_is_stopped() -> None:
    series = {labels("c", n=str(n)): [float(n)] * 120 for n in range(330)}
    began = time.process_time()
    with pytest.raises(TooMuch):
        evaluate(parse("sum(" + " + ".join(["c"] * 6) + ")"), Samples(series, 120))
    with pytest.raises(TooMuch):
        evaluate(parse("sum(max_over_time(c[10m]))"), Samples(series, 120))
    assert time.process_time() - began < 1


def test_numbers_beyond_measure() -> None:
    assert at("1e308 * 10") == math.inf
    assert at("2 ^ 99999") == math.inf
    assert math.isnan(at("(0 - 8) ^ 0.5"))
    assert math.isnan(at("1 % 0"))
    with pytest.raises(BadExpression):
        parse("9" * 30)
