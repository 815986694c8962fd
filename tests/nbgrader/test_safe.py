"""What people read in a browser cannot run, load or steer; what they open in a spreadsheet cannot compute."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from grading.nbgrader.exchange import not_plain
from grading.nbgrader.export import safe
from grading.nbgrader.safe import markdown_to_safe_html, plain


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/pixel.png)",
        "[x](javascript:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "<svg/onload=alert(1)>",
        "<style>@import 'https://evil.example/'</style>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
        "<a href='https://evil.example/'>x</a>",
        "<b style='background: url(https://evil.example/)'>x</b>",
        "<!--><script>alert(1)</script-->",
    ],
)
def test_markdown_of_a_learner_is_harmless(text: str) -> None:
    found: list[tuple[str, list[tuple[str, str | None]]]] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, attrs))

    Tags().feed(markdown_to_safe_html(text))
    assert {tag for tag, _ in found} <= {"p", "b"}
    assert [attrs for _, attrs in found if attrs] == []


def test_markdown_of_a_learner_still_reads_well() -> None:
    html = markdown_to_safe_html(
        "## Why\n\n- a `cache` is **fast** if a < b\n\n| x | y |\n|---|---|\n| 1 | 2 |"
    )
    for part in ("<h2>", "<li>", "<code>cache</code>", "<strong>fast</strong>", "a &lt; b", "<td>1</td>"):
        assert part in html


def test_a_sentence_that_begins_with_a_number_keeps_it() -> None:
    assert '<ol start="302">' in markdown_to_safe_html("302. Browsers keep a 301.")
    assert "onclick" not in markdown_to_safe_html('<ol start="1" onclick="alert(1)"><li>x</li></ol>')


def test_control_characters_go_and_text_stays() -> None:
    assert plain("a\x1b[31m\tb\n\u202ec é 中\x00") == "a[31m\tb\nc é 中"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_name_is_no_formula(name: str) -> None:
    assert safe(name) == f"'{name}"


def test_numbers_are_short() -> None:
    assert [safe(value) for value in (20.0, 0.5, None, "ada")] == ["20", "0.5", "", "ada"]


def test_links_and_pipes_are_not_collected(tmp_path: Path) -> None:
    import os

    (tmp_path / "a.ipynb").write_text("{}")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "a.ipynb")
    (tmp_path / "linked-folder").symlink_to(tmp_path / "folder")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    names = sorted(p.name for p in tmp_path.iterdir())
    assert set(names) - not_plain(str(tmp_path), names) == {"a.ipynb", "folder"}


def test_a_submission_in_the_exchange_is_collected_without_its_links(tmp_path: Path) -> None:
    from grading.nbgrader.steps import Course

    course = Course(tmp_path, "url-shortener")
    inbound = tmp_path / "work/course/exchange/system-design/inbound"
    handed_in = inbound / "ada+url-shortener+2030-01-02 03:04:05 UTC+x"
    handed_in.mkdir(parents=True)
    solution = tmp_path / "solution.ipynb"
    solution.write_text("the instructor's")
    (handed_in / "04-detailed-design.ipynb").symlink_to(solution)
    (handed_in / "mine.ipynb").write_text("mine")
    (handed_in / "program.py").write_text("print()")
    (handed_in / "timestamp.txt").write_text("not a time")
    course.create_gradebook()
    course.collect()
    collected = sorted(p.name for p in (tmp_path / "work/course/submitted/ada/url-shortener").iterdir())
    assert collected == ["mine.ipynb"]


def test_the_formgrader_takes_the_same_filter(tmp_path: Path) -> None:
    from nbconvert.exporters import HTMLExporter
    from nbformat.v4 import new_markdown_cell, new_notebook
    from traitlets.config import Config

    from grading.nbgrader.config import configure

    exporter = HTMLExporter(config=configure(Config(), tmp_path), template_name="basic")
    page, _ = exporter.from_notebook_node(
        new_notebook(cells=[new_markdown_cell("*x* <script>alert(1)</script>")])
    )
    assert "<em>x</em>" in page
    assert "<script>alert" not in page
