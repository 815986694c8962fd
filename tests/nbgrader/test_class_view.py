"""Where a class lost its points, by which mistakes; who is alike; what needs a look."""

import csv
from pathlib import Path

from grading.judge.report import Counterexample, Finding, RequirementVerdict, Verdict
from grading.nbgrader.class_page import requirements, table
from grading.nbgrader.class_text import summary
from grading.nbgrader.class_view import Judged, view
from grading.nbgrader.similar import pairs, runs

SLOT = "url-shortener/redirect-cache"
LOOP = """
class Cache:
    def __init__(self, size):
        self.size = size
        self.kept = {}

    def get(self, key, now):
        value, expires = self.kept.get(key, (None, 0.0))
        if expires <= now:
            self.kept.pop(key, None)
            return None
        return value

    def put(self, key, value, now, ttl):
        while len(self.kept) >= self.size:
            oldest = min(self.kept, key=lambda each: self.kept[each][1])
            del self.kept[oldest]
        self.kept[key] = (value, now + ttl)
"""
RENAMED = "# my own work\n" + LOOP.replace("kept", "store").replace("oldest", "victim").replace("0.0", "0")
OTHER = """
from collections import OrderedDict

class Cache(OrderedDict):
    def get(self, key, now):
        try:
            entry = self[key]
        except KeyError:
            return None
        self.move_to_end(key)
        return entry.value if entry.expires > now else self.pop(key) and None

    def put(self, key, value, now, ttl):
        self[key] = Entry(value=value, expires=now + ttl)
        if len(self) > 100:
            self.popitem(last=False)
"""


def finding(kind: str, operations: int, got: str = "it was 302") -> Finding:
    run = Counterexample(None, tuple(f"resolve {i}" for i in range(operations)), ("the cache is down",))
    return Finding("did", "a deleted link is 410", got, "why", "read", counterexample=run, kind=kind)


def judged(student: str, outcome: str, found: Finding | None = None, source: str = "", seconds: float = 1.0):
    points = 5.0 if outcome == "pass" else 0.0
    one = RequirementVerdict("deletion", "Deleted is deleted", points, 5.0, outcome, found)  # type: ignore[arg-type]
    verdict = Verdict(SLOT, points, 5.0, "none", (0,), (one,))
    return Judged(student, SLOT, source, verdict, seconds)


CLASS = [
    judged("ada", "pass", source=LOOP, seconds=0.5),
    judged("bob", "fail", finding("stale", 4), RENAMED),
    judged("cem", "fail", finding("stale", 2, "it was still 302"), OTHER, seconds=3.0),
    judged("dan", "fail", finding("lost", 1, "<script>alert(1)</script>")),
    judged("eve", "unknown", finding("not shown", 1, "the fault met no work")),
    Judged("flo", SLOT, "", None, problem="The cell is gone."),
]


def test_requirements_are_counted_over_the_class() -> None:
    [row] = view(CLASS).requirements
    assert (row.requirement, row.passed, row.failed, row.unknown) == ("deletion", 1, 3, 1)
    assert (row.points, row.max_points) == (1.0, 5.0)


def test_each_learner_has_a_sum_and_who_needs_help_comes_first() -> None:
    more = [Judged("ada", "another", "", CLASS[1].verdict), Judged("ada", "a third", "", CLASS[0].verdict)]
    found = {each.student: each for each in view([*CLASS, *more]).each}
    assert next(iter(found)) == "bob"
    assert list(found)[-1] == "ada"
    assert (found["ada"].judged, found["ada"].points, found["ada"].max_points) == (3, 10.0, 15.0)
    assert found["ada"].lost == "another (-5)"
    assert (found["flo"].judged, found["flo"].points, found["flo"].max_points) == (0, 0, 0)


def test_the_commonest_mistake_comes_first_with_its_smallest_run() -> None:
    ideas = view(CLASS).ideas
    assert [(idea.learners, idea.students) for idea in ideas] == [(2, "bob, cem"), (1, "dan")]
    assert ideas[0].got == "it was still 302"
    assert ideas[0].run == "resolve 0; resolve 1; the cache is down"


def test_mistakes_without_a_name_are_the_same_but_for_their_figures() -> None:
    class_ = [
        judged("ada", "fail", finding("", 1, "off by 3.5 %")),
        judged("bob", "fail", finding("", 1, "off by 40 %")),
    ]
    assert [idea.learners for idea in view(class_).ideas] == [2]


def test_what_nobody_decided_is_to_be_looked_at() -> None:
    assert [(look.student, look.why) for look in view(CLASS).looks] == [
        ("eve", "not shown: the fault met no work"),
        ("flo", "The cell is gone."),
    ]


def test_judging_time_is_told_by_exercise() -> None:
    [took] = view(CLASS).took
    assert (took.judged, took.median_s, took.longest_s, took.longest) == (5, 1.0, 3.0, "cem")


def test_a_renamed_copy_is_alike_and_another_way_is_not() -> None:
    [pair] = view(CLASS).alike
    assert (pair.one, pair.other, pair.per_cent) == ("ada", "bob", 100)


def test_what_everybody_was_given_makes_nobody_alike() -> None:
    assert pairs({"ada": LOOP, "bob": LOOP}, given=[LOOP]) == []
    six = {str(i): LOOP for i in range(6)}
    assert pairs(six) == []  # what all have, they have from somewhere


def test_short_and_broken_texts_are_no_reason_to_look() -> None:
    assert pairs({"ada": "x = 1\n", "bob": "x = 1\n"}) == []
    assert runs("def (((") == frozenset()
    assert pairs({"ada": "'''" + "word " * 100, "bob": "'''" + "other " * 100}) == []


def test_tables_are_csv_that_a_spreadsheet_takes_as_text(tmp_path: Path) -> None:
    class_ = [*CLASS, Judged("=cmd()", SLOT, "", None, problem="+1")]
    written = view(class_).write(tmp_path)
    assert {path.name for path in written} == {
        "learners.csv",
        "requirements.csv",
        "ideas.csv",
        "to-look-at.csv",
        "alike.csv",
        "judging.csv",
    }
    rows = list(csv.DictReader((tmp_path / "to-look-at.csv").read_text("utf-8").splitlines()))
    assert ("'=cmd()", "'+1") in {(row["student"], row["why"]) for row in rows}


def test_the_page_runs_nothing_and_says_every_number() -> None:
    page = requirements(view(CLASS)) + table(view(CLASS), "ideas", "none")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    for head in ("passed", "failed", "not shown", "Mean points"):
        assert head in page
    assert table(view([]), "alike", "Nobody is.") == "<p>Nobody is.</p>"


def test_a_terminal_gets_the_same() -> None:
    text = summary(view([*CLASS, judged("gus", "fail", finding("x", 1, "\x1b[2Jgone"))]))
    assert "\x1b" not in text
    assert "2 × url-shortener/redirect-cache, deletion: bob, cem" in text
    assert "100 %  url-shortener/redirect-cache: ada and bob" in text


def test_an_empty_class_has_an_empty_view() -> None:
    assert summary(view([])) == "0 learners"
