"""What failed, to step through: lanes and arrows out of a timeline, the cell's lines, and what goes without widgets."""

import json
import re
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from workbench.notebook.timeline import FailuresWidget, failures, shown_source, steps
from workbench.notebook.verdict import CheckedVerdict

from grading import matrix
from grading.judge import Finding, RequirementVerdict, Verdict, judge
from grading.judge.report import Counterexample, Moment, lines_that_ran

SLOT = "url-shortener/redirect-cache"


def moments(*told: tuple[str, str]) -> tuple[Moment, ...]:
    return tuple(Moment(number / 10, who, what) for number, (who, what) in enumerate(told))


TOLD = moments(
    ("fault", "begins: the cache does not answer"),
    ("client", "caller 1: resolve('a on app-9') on app-2"),
    ("app-2", "to the cache: GET redirect:a"),
    ("app-2", "asks the store for caller 1: find('a')"),
    ("store", "answers app-2: None"),
    ("…", "7 more"),
    ("store", "the row of a is deleted"),
    ("client", "caller 1 gets (state='unknown')"),
    ("client", "caller 10: resolve('b') on app-1"),
    ("client", "caller 10 goes away: the call is cancelled"),
    ("client", "caller 10 is cancelled"),
    ("cache", "refuses app-2"),
)


def test_who_is_asked_may_have_a_name_of_two_words() -> None:
    told = moments(
        ("client", "caller 1: new_code('x') on app-1"),
        ("app-1", "asks the lease table: lease()"),
        ("lease table", "answers app-1: Unavailable"),
        ("app-1", "asks the store for caller 1: claim('aaaaaaa')"),
    )
    lanes, made = steps(told)
    assert lanes == ["client", "app-1", "lease table", "store"]
    assert [(each.at, each.to, each.answer) for each in made[1:]] == [
        (1, 2, False),
        (2, 1, True),
        (1, 3, False),
    ]


def test_lanes_and_arrows_are_read_out_of_the_timeline() -> None:
    lanes, made = steps(TOLD)
    assert lanes == ["client", "app-1", "app-2", "cache", "store", "fault"]

    def lane(index: int | None) -> str:
        return "" if index is None else lanes[index]

    assert [(lane(each.at), lane(each.to), each.answer) for each in made] == [
        ("fault", "", False),
        ("client", "app-2", False),
        ("app-2", "cache", False),
        ("app-2", "store", False),
        ("store", "app-2", True),
        ("", "", False),
        ("store", "", False),
        ("app-2", "client", True),
        ("client", "app-1", False),
        ("client", "app-1", False),
        ("client", "", False),
        ("cache", "app-2", True),
    ]
    assert [each.what for each in made] == [each.what for each in TOLD]


def test_every_step_says_what_line_ran_or_last_did() -> None:
    told = (
        Moment(1.0, "client", "caller 1: resolve('a') on app-1"),
        Moment(1.0, "app-1", "to the cache: GET a", 7),
        Moment(1.5, "cache", "answers app-1: nothing"),
        Moment(1.5, "client", "caller 1 gets Boom: it broke", 9),
        Moment(0.0, "…", "and in another process:"),
    )
    _, made = steps(told)
    assert [(each.line, each.last) for each in made] == [
        (None, None),
        (7, None),
        (None, 1),
        (9, None),
        (None, None),
    ]
    assert [each.after for each in made] == ["", "0.0000", "0.5000", "0.0000", ""]


def test_a_fault_is_under_way_from_its_beginning_to_its_end() -> None:
    told = moments(
        ("client", "a"), ("fault", "begins: x"), ("client", "b"), ("fault", "is over: x"), ("client", "c")
    )
    halves = [each.faults for each in steps(told)[1]]
    assert halves == [(False, False), (False, True), (True, True), (True, False), (False, False)]


def test_no_moments_no_lanes() -> None:
    assert steps(()) == ([], [])


@pytest.mark.parametrize("slot", [SLOT, "url-shortener/hash-codes"])
def test_the_arrows_of_real_timelines(slot: str) -> None:
    """Whatever is asked or answered in them becomes an arrow; the texts of the judge and their reading agree."""
    seen = 0
    for entry in matrix.entries(slot, "wrong")[::5]:
        for finding, _ in judge(slot, entry.source, [1], only=[entry.rejected_by]).findings():
            for step in steps(finding.timeline)[1]:
                if re.search(r"^(to|asks) the |^answers |: \w+\(.* on app-", step.what):
                    assert step.to is not None, step
                    seen += 1
    assert seen > 10


def test_the_source_is_shown_with_the_lines_of_the_cell() -> None:
    assert shown_source("s/c", "\n\tx = 1\r\ny = '\x0c\u202e'\n\n") == [
        "%%component s/c",
        "    x = 1",
        "y = '\ufffd\ufffd'",
    ]
    told = (Moment(0, "app-1", "x", 2), Moment(0, "app-1", "y", 99), Moment(0, "app-1", "z", 2))
    assert lines_that_ran(told, "a\nb\nc") == [(2, "b")]
    assert lines_that_ran(told, "") == []


NASTY = "<img src=x onerror=alert(1)>\x1b[31m\u202e"


def lost(*hints: str, id: str = "answers", text: str = NASTY) -> RequirementVerdict:
    finding = Finding(
        text, text, text, text, text, Counterexample(7, (text,), (text,)), (Moment(0.5, text, text, 1),)
    )
    return RequirementVerdict(id, text, 0, 1, "fail", finding, hints)


def checked(*lost: RequirementVerdict) -> CheckedVerdict:
    verdict = Verdict("s/c", 0, len(lost), "bubblewrap", (1,), lost)
    return CheckedVerdict.of(verdict, f"x = '{NASTY}'")


def test_the_widget_gets_texts_without_control_characters() -> None:
    panel = failures(checked(lost(NASTY)), NASTY)
    assert panel is not None
    sent = json.dumps([panel.findings, panel.source, panel.slot], ensure_ascii=False)
    assert "<img" in sent  # as it is: the widget sets it as text
    assert not re.search(r"[\x00-\x1f\u202e]|\\u00", sent)


def test_the_widget_sets_texts_and_fetches_nothing() -> None:
    panel = failures(checked(lost()), "")
    assert panel is not None
    code = f"{panel._esm}{panel._css}".replace("http://www.w3.org/2000/svg", "")
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "import(", "url(", "http"):
        assert dangerous not in code


def test_without_widgets_there_are_folded_hints_and_no_scripts() -> None:
    panel = failures(checked(lost("one", NASTY), lost(id="hits", text="other")), "")
    assert panel is not None
    bundle = panel._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    html = data["text/html"]
    assert html.count("<details") == 3  # one for the requirement, and two hints, the second within the first
    assert html.index("Hint 1 of 2") < html.index("Hint 2 of 2") < html.index("</details>")
    assert "<img" not in html
    assert data["text/plain"] == "[JupyterLab steps through what failed here: answers, hits]"


def test_a_page_made_of_a_saved_notebook_has_the_report_and_the_hints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As nbconvert makes it where the notebook holds no state of widgets, which is JupyterLab's way to save it."""
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda what, raw=False: shown.append(what))
    checked(lost("one", "two"))._ipython_display_()
    bundle = shown[1]._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    view = "application/vnd.jupyter.widget-view+json"
    data = {**data, view: {"model_id": "gone", "version_major": 2, "version_minor": 0}}
    new: Any = nbformat.v4
    cell = new.new_code_cell(
        "check", outputs=[new.new_output("display_data", each) for each in (shown[0], data)]
    )
    page, _ = HTMLExporter().from_notebook_node(new.new_notebook(cells=[cell]))
    assert "0 of 1 points" in page
    assert page.index("Hint 1 of 2") < page.index("Hint 2 of 2")
    assert "<img src=x" not in page


def test_nothing_to_step_through() -> None:
    assert failures(replace(checked(), requirements=()), "") is None
    bare = RequirementVerdict("a", "t", 0, 1, "unknown", Finding("d", "e", "g", "w", "r"))
    assert failures(checked(bare), "") is None


def test_in_a_notebook_the_report_comes_first_and_the_panel_below(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda what, raw=False: shown.append(what))
    checked(lost("secret help"))._ipython_display_()
    report, panel = shown
    assert "0 of 1 points" in report["text/plain"]
    assert "secret help" not in str(report)  # the panel has it, or its form without widgets
    assert "<details open" not in report["text/html"]
    assert isinstance(panel, FailuresWidget)
    shown.clear()
    checked()._ipython_display_()
    assert len(shown) == 1


def test_a_checked_verdict_is_the_verdict_still() -> None:
    verdict = checked(lost("one"))
    again = Verdict.from_json(verdict.to_json())
    assert again.requirements == verdict.requirements
    assert again.requirements[0].hints == ("one",)
    assert "x =" not in verdict.to_json()
