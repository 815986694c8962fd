"""Designs: read from text, judged by rules, drawn, and held against what runs."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbench import against, design
from workbench.notebook.answer import Answer
from workbench.notebook.design import DesignWidget
from workbench.notebook.design_layout import HEIGHT, WIDTH, layout
from workbench.notebook.drawing import Drawing, NotDone

from grading.answers import exercise, judge_answer
from grading.answers.design_exercise import Designs
from grading.answers.design_load import flow, loads
from grading.answers.design_picture import mermaid
from grading.answers.designs import KINDS, Design, kind_of, parse, to_text
from grading.judge.report import Verdict
from reference.build import build
from reference.platform.settings import Settings

ID = "url-shortener/design"
RIGHT = """
# a box, then an arrow
client: client
balancer x2: load balancer
app x9: app server
cache x2: cache
links x2: database
keys x2: key service
clicks x2: queue
counter x4: worker
counts: analytics store
client -> balancer: every request
balancer -> app
app -> cache: GET code
app -> links: on a miss
app -> keys: a batch of codes
app -> clicks: each click
counter -> clicks
counter -> counts: a row for 100 clicks
"""


def edited(*edits: tuple[str, str]) -> str:
    """RIGHT with lines replaced; the replacement may have several lines, or none."""
    text = RIGHT
    for old, new in edits:
        assert f"\n{old}\n" in text, old
        text = text.replace(f"\n{old}\n", f"\n{new}\n" if new else "\n")
    return text


def asked() -> Designs:
    found = exercise(ID)
    assert isinstance(found, Designs)
    return found


def lost(verdict: Verdict) -> set[str]:
    return {each.id for each in verdict.requirements if each.verdict != "pass"}


# --- right designs

ODD = {
    "a CDN in front, one box that is many machines": edited(
        ("client -> balancer: every request", "edge: cdn\nclient -> edge\nedge -> balancer")
    ),
    "two caches": edited(
        ("cache x2: cache", "near: cache\nfar: cache"), ("app -> cache: GET code", "app -> near, far")
    ),
    "one cache, which may be lost": edited(("cache x2: cache", "cache: cache")),
    "a sharded database, a box for each shard": edited(
        ("links x2: database", "shard-a: shard\nshard-b: shard"),
        ("app -> links: on a miss", "app -> shard-a, shard-b: on a miss"),
    ),
    "a database with a replica that is read": edited(
        ("links x2: database", "links: database\ncopy: read replica"),
        ("app -> links: on a miss", "app -> links, copy\nlinks -> copy: changes"),
    ),
    "an ID generator in the place of the key service": edited(
        ("keys x2: key service", "ids: id generator"),
        ("app -> keys: a batch of codes", "app -> ids: inside the process"),
    ),
    "keys that are kept in a database": edited(
        ("keys x2: key service", "keys: kgs\nkeydb: database"),
        ("app -> keys: a batch of codes", "app -> keys\nkeys -> keydb"),
    ),
    "two balancers by name": edited(
        ("balancer x2: load balancer", "one: lb\ntwo: lb"),
        ("client -> balancer: every request", "client -> one, two"),
        ("balancer -> app", "one -> app\ntwo -> app"),
    ),
    "servers by name": edited(
        ("app x9: app server", "app-a x5: app\napp-b x5: app"),
        ("balancer -> app", "balancer -> app-a, app-b"),
        ("app -> cache: GET code", "app-a -> cache\napp-b -> cache"),
        ("app -> links: on a miss", "app-a -> links\napp-b -> links"),
        ("app -> keys: a batch of codes", "app-a -> keys\napp-b -> keys"),
        ("app -> clicks: each click", "app-a -> clicks\napp-b -> clicks"),
    ),
    "servers that read, and servers that write": edited(
        ("app x9: app server", "reader x9: app server\nwriter x2: app server"),
        ("balancer -> app", "balancer -> reader, writer"),
        ("app -> cache: GET code", "reader -> cache"),
        ("app -> links: on a miss", "reader -> links\nwriter -> links"),
        ("app -> keys: a batch of codes", "writer -> keys"),
        ("app -> clicks: each click", "reader -> clicks"),
    ),
    "answers drawn as arrows": edited(
        ("balancer -> app", "balancer -> app\napp -> client: 302\ncache -> app: the URL\napp -> balancer")
    ),
    "a queue that hands clicks to workers": edited(("counter -> clicks", "clicks -> counter")),
    "monitoring, and browsers beside phones": edited(
        ("client: client", "client: browser\nphone: mobile client\nwatch: monitoring\nwatch -> app"),
        ("client -> balancer: every request", "client -> balancer\nphone -> balancer"),
    ),
    "the cache told of a deletion by the database": edited(
        ("counter -> clicks", "counter -> clicks\nlinks -> cache: deletions")
    ),
    "a service behind a service": edited(
        ("balancer -> app", "gate x9: app server\nbalancer -> gate\ngate -> app")
    ),
}


def test_a_right_design_has_all_points() -> None:
    verdict = judge_answer(ID, RIGHT)
    assert lost(verdict) == set()
    assert verdict.passed
    assert verdict.max_points == 20
    assert verdict.isolation == "data"


@pytest.mark.parametrize("text", ODD.values(), ids=list(ODD))
def test_odd_designs_that_are_right_have_all_points(text: str) -> None:
    assert lost(judge_answer(ID, text)) == set()


# --- wrong designs: what is wrong, what it loses, and what is said

WRONG: dict[str, tuple[str, set[str], str]] = {
    "a box on its own": (f"{RIGHT}spare x2: cache\n", {"connected"}, "joins spare to a client"),
    "an island of two boxes": (
        f"{RIGHT}other: app server\nthing: replica\nother -> thing\n",
        {"connected"},
        "joins other and thing to a client",
    ),
    "the cache asks the database": (f"{RIGHT}cache -> links\n", {"layers"}, "read-through"),
    "a client asks the cache": (f"{RIGHT}client -> cache\n", {"layers"}, "past the app servers"),
    "a client asks the database": (f"{RIGHT}client -> links\n", {"layers"}, "client asks links past"),
    "a balancer asks the database": (f"{RIGHT}balancer -> links\n", {"layers"}, "balancer asks links past"),
    "read through the cache only": (
        edited(("app -> links: on a miss", "cache -> links: on a miss")),
        {"layers"},
        "the app server asks both",
    ),
    "nothing is ever stored": (
        edited(("links x2: database", "links x2: replica")),
        {"redirects"},
        "no new link is ever stored",
    ),
    "clients choose a server": (
        edited(
            ("balancer x2: load balancer", ""),
            ("client -> balancer: every request", "client -> app"),
            ("balancer -> app", ""),
        ),
        {"balancer"},
        "which machine is up",
    ),
    "no cache, and enough databases": (
        edited(
            ("cache x2: cache", ""),
            ("app -> cache: GET code", ""),
            ("links x2: database", "links x4: database"),
        ),
        {"cache"},
        "there is no cache",
    ),
    "a cache that only the workers ask": (
        edited(("app -> cache: GET code", "counter -> cache"), ("links x2: database", "links x4: database")),
        {"cache"},
        "no app server that takes redirects asks the cache",
    ),
    "one balancer": (
        edited(("balancer x2: load balancer", "balancer: load balancer")),
        {"availability"},
        "without balancer no client",
    ),
    "one database": (
        edited(("links x2: database", "links: database")),
        {"availability"},
        "without links no client",
    ),
    "a replica that nobody reads": (
        edited(("links x2: database", "links: database\ncopy: replica\nlinks -> copy")),
        {"availability"},
        "without links no client",
    ),
    "one server, a large number of them apart": (
        edited(("balancer -> app", "gate: app server\nbalancer -> gate\ngate -> app")),
        {"availability", "load"},
        "without gate no client",
    ),
    "no worker at the queue": (
        edited(("counter -> clicks", "counter -> cache")),
        {"clicks"},
        "it only grows",
    ),
    "counts that are written nowhere": (
        edited(("counter -> counts: a row for 100 clicks", "app -> counts")),
        {"clicks"},
        "no analytics store",
    ),
    "the server waits for the counts": (
        edited(
            ("clicks x2: queue", ""),
            ("counter x4: worker", ""),
            ("counter -> clicks", ""),
            ("counter -> counts: a row for 100 clicks", ""),
            ("app -> clicks: each click", "app -> counts"),
            ("counts: analytics store", "counts x9: analytics store"),
        ),
        {"clicks"},
        "waits until each click is taken in",
    ),
    "clicks leave from the database": (
        edited(("app -> clicks: each click", "links -> clicks")),
        {"click-source"},
        "20 % of the redirects would be counted",
    ),
    "clicks leave from the cache": (
        edited(("app -> clicks: each click", "cache -> clicks")),
        {"click-source"},
        "knows neither who clicked",
    ),
    "half of the servers tell nobody of clicks": (
        edited(
            ("app x9: app server", "app x9: app server\nquiet x9: app server"),
            ("balancer -> app", "balancer -> app, quiet\nquiet -> cache, links, keys"),
        ),
        {"click-source"},
        "quiet takes redirects and tells nobody",
    ),
    "no source of codes": (
        edited(("keys x2: key service", ""), ("app -> keys: a batch of codes", "")),
        {"codes"},
        "nothing in it makes codes",
    ),
    "a key service that only the workers ask": (
        edited(("app -> keys: a batch of codes", "counter -> keys")),
        {"codes"},
        "no app server that stores new links asks keys",
    ),
    "too few servers": (
        edited(("app x9: app server", "app x3: app server")),
        {"load"},
        "app: 11,691 of 4,200 requests/s, 2.8 times what it takes",
    ),
    "too few workers": (
        edited(("counter x4: worker", "counter x3: worker")),
        {"load"},
        "counter: 11,574 of 10,500 clicks/s, 110 % of what it takes",
    ),
    "no cache, and two databases": (
        edited(("cache x2: cache", ""), ("app -> cache: GET code", "")),
        {"cache", "load"},
        "links: 11,691 of 7,000 questions/s",
    ),
    "more of everything": (
        edited(("app x9: app server", "app x40: app server")),
        {"cost"},
        "4,080 dollars a month; the budget is 4,000",
    ),
}


@pytest.mark.parametrize(("text", "loses", "says"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_design_loses_exactly_what_is_wrong_with_it(text: str, loses: set[str], says: str) -> None:
    verdict = judge_answer(ID, text)
    assert lost(verdict) == loses
    findings = [each.finding for each in verdict.requirements if each.finding is not None]
    assert any(says in finding.got for finding in findings), [finding.got for finding in findings]
    assert all(f.did and f.expected and f.got and f.why and f.read_next for f in findings)
    assert verdict.points == 20 - sum(each.max_points for each in verdict.requirements if each.id in loses)


def test_each_requirement_is_lost_by_some_wrong_design_and_has_hints() -> None:
    assert set().union(*(loses for _, loses, _ in WRONG.values())) == {id for _, id, _ in asked().parts}
    assert all(each.hints and each.why and each.read_next for each in asked().asked)
    assert sum(points for points, _, _ in asked().parts) == 20


def test_the_published_drawing_at_scale() -> None:
    """CDN, balancer, servers, a cache in front of shards, the click queue below the shards, no key service."""
    text = """
client: client
cdn: cdn
balancer: load balancer
app x3: app server
cache: cache
shards x3: database
clicks: queue
counter: worker
counts: analytics store
client -> cdn
cdn -> balancer
balancer -> app
app -> cache
cache -> shards: cache miss
shards -> clicks
clicks -> counter
counter -> counts
"""
    assert lost(judge_answer(ID, text)) == {"layers", "availability", "click-source", "codes", "load"}


def test_nothing_drawn_earns_nothing() -> None:
    for text in ("", "\n", "\n# only a comment\n"):
        verdict = judge_answer(ID, text)
        assert verdict.points == 0
        assert {each.verdict for each in verdict.requirements} == {"fail", "unknown"}


# --- load


def test_the_flow_follows_the_stated_rules() -> None:
    brief = asked().brief
    gets = flow(parse(RIGHT)[0], brief)
    redirects, links = 3858 * 3, 39 * 3
    expected = {
        "client": redirects + links,
        "balancer": redirects + links,
        "app": redirects + links,
        "cache": redirects * 1.2,  # a look each, and a fill for one of five
        "links": redirects * 0.2 + links,
        "keys": links,
        "clicks": redirects,
        "counter": redirects,
        "counts": redirects / 100,
    }
    assert gets == pytest.approx(expected)
    app = loads(parse(RIGHT)[0], brief)["app"]
    assert (round(app.gets), app.usable, app.over, app.needed) == (11691, 12600, False, 9)


def test_machines_share_equally_and_circles_end() -> None:
    brief = asked().brief
    text = "\nc: client\na x3: lb\nb: lb\ns x1: app\nt x3: app\nc -> a, b\na -> b, s\nb -> a, t\n"
    gets = flow(parse(text)[0], brief)
    total = 3 * (3858 + 39)
    assert gets["s"] + gets["t"] == pytest.approx(total)
    assert flow(parse("\na: app\nb: app\na -> b\nb -> a\n")[0], brief) == {"a": 0, "b": 0}


# --- the text

PROBLEMS = [
    ("App: cache", 2, "write app"),
    ("9lives: cache", 2, "is no name"),
    ("app", 2, "Write its kind behind a colon, such as app: app server"),
    ("the app server", 2, "neither a box nor an arrow"),
    ("app:", 2, "app: app server"),
    ("app: kache", 2, "did you mean 'cache'?"),
    ("app: blockchain", 2, "There are: client, cdn,"),
    ("app x0: app", 2, "no count from 1 to 1,000"),
    ("app x1001: app", 2, "no count from 1 to 1,000"),
    ("app xten: app", 2, "no count"),
    ("app x: app", 2, "no count"),
    ("app x²: app", 2, "no count"),
    ("a: app\na: app", 3, "a x2: app server"),
    ("a: app\na: cache", 3, "give this one another name"),
    ("a: app\na -> b", 3, "no box is called 'b'; add a line such as b: app server"),
    ("a: app\ncache: cache\na -> cach", 4, "did you mean 'cache'?"),
    ("a: app\na -> a", 3, "to itself"),
    ("a: app\nb: app\nc: app\na -> b -> c", 5, "one arrow a line; write a -> b, and on the next line b -> c"),
    ("a: app\nb: app\nb <- a", 4, "write a -> b"),
    ("a: app\n-> a", 3, "a box at each end"),
    ("a: app\na ->", 3, "a box at each end"),
    ("a: app\nb: app\na -> b,", 4, "a box at each end"),
    (f"a: app\nb: app\na -> b: {'x' * 81}", 4, "80 must do"),
    ("x" * 500, 2, "400 must do"),
]


@pytest.mark.parametrize(("text", "line", "says"), PROBLEMS, ids=[text[:30] for text, _, _ in PROBLEMS])
def test_a_mistake_gets_its_line_and_what_to_write_instead(text: str, line: int, says: str) -> None:
    _, problems = parse(f"\n{text}\n")
    assert problems[-1].line == line
    assert says in problems[-1].says
    verdict = judge_answer(ID, f"\n{text}\n")
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert says in verdict.requirements[0].finding.got  # type: ignore[union-attr]


def test_what_is_understood_besides() -> None:
    design, problems = parse(
        "\r\n  web  ×3 : Application Servers   # nine later\r\ndb: Key-Value Store\r\n"
        "web → db\r\nweb --> db: GET #1\r\n"
    )
    assert problems == []
    assert [str(box) for box in design.boxes] == ["web x3: app server", "db: database"]
    assert [(str(arrow), arrow.line) for arrow in design.arrows] == [("web -> db", 4), ("web -> db: GET", 5)]


def test_every_kind_and_synonym_is_one_kind() -> None:
    for kind, names in KINDS.items():
        for name in (kind, *names.split(",")):
            assert kind_of(name.upper()) == kind
    assert kind_of("nothing") is None


def test_too_much_for_one_drawing_is_said() -> None:
    many = "".join(f"a{n}: app\n" for n in range(70))
    assert "up to 60" in str(parse(f"\n{many}")[1][-1])
    arrows = "\n".join("a0 -> " + ", ".join(f"a{n}" for n in range(1, 50)) for _ in range(6))
    assert "250" in str(parse("\n" + "".join(f"a{n}: app\n" for n in range(50)) + arrows)[1][-1])


names = st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True)
written = st.one_of(
    st.text(max_size=60),
    st.builds("{} x{}: {}".format, names, st.integers(-2, 1200), st.sampled_from([*KINDS, "thing"])),
    st.builds("{} -> {}: {}".format, names, names, st.text(max_size=20)),
    st.sampled_from(RIGHT.split("\n")),
)
cells = st.lists(written, max_size=30).map(lambda lines: "\n" + "\n".join(lines))


@settings(max_examples=100, deadline=None)
@given(cells)
def test_any_text_is_read_or_told_what_is_wrong(text: str) -> None:
    design, problems = parse(text)
    count = text.count("\n") + 1
    assert all(1 <= each.line <= count and each.says for each in problems)
    again, none = parse(to_text(design))
    assert none == []
    assert to_text(again) == to_text(design)
    verdict = judge_answer(ID, text)
    assert 0 <= verdict.points <= 20
    assert (verdict.crashed is None) == (not problems)
    Verdict.from_json(verdict.to_json())
    assert asked().read_back(text)
    mermaid(design)


# --- drawing


def test_each_change_rewrites_its_own_lines_and_no_other() -> None:
    text = "\n# mine\n\nclient: client\napp x3: app server  # nine later\ncache: cache\nclient -> app\n"
    text += "app -> cache, client: two\n"
    drawing = Drawing(text)
    drawing.rename("app", "api")
    drawing.count("api", 9)
    renamed = text.replace("app x3: app", "api x9: app").replace("-> app", "-> api")
    assert drawing.text == renamed.replace("\napp ->", "\napi ->")
    assert drawing.add("cache") == "cache-2"
    drawing.connect("api", "cache-2")
    drawing.label("api", "cache", "GET code")
    assert drawing.text.split("\n")[3:] == [
        "client: client", "api x9: app server  # nine later", "cache: cache", "cache-2: cache", "client -> api",
        "api -> cache: GET code", "api -> client: two", "api -> cache-2", "",
    ]  # fmt: skip
    drawing.disconnect("api", "client")
    drawing.kind("cache-2", "message queue")
    drawing.delete("cache")
    assert to_text(drawing.design) == (
        "client: client\napi x9: app server\ncache-2: queue\nclient -> api\napi -> cache-2\n"
    )
    assert "# mine" in drawing.text
    for _ in range(8):
        drawing.undo()
    assert drawing.text == text
    assert not drawing.can_undo
    for _ in range(8):
        drawing.redo()
    assert not drawing.can_redo
    assert "cache-2: queue" in drawing.text


def test_what_cannot_be_done_says_why() -> None:
    drawing = Drawing("\na: app\nb: cache\na -> b, x\n")
    for change, says in [
        (lambda: drawing.rename("a", "b"), "another box"),
        (lambda: drawing.rename("a", "A b"), "is no name"),
        (lambda: drawing.rename("zz", "y"), "no box is called"),
        (lambda: drawing.count("a", 0), "from 1 to"),
        (lambda: drawing.count("a", True), "from 1 to"),
        (lambda: drawing.kind("a", "thing"), "no kind"),
        (lambda: drawing.connect("a", "b"), "already"),
        (lambda: drawing.connect("a", "a"), "to another"),
        (lambda: drawing.disconnect("b", "a"), "no arrow"),
        (lambda: drawing.disconnect("a", "b"), "line 4 has a mistake"),
        (lambda: drawing.label("a", "b", "x" * 81), "80 characters"),
        (lambda: drawing.label("a", "b", "#"), "comment"),
        (drawing.undo, "nothing was changed"),
        (drawing.redo, "nothing was undone"),
    ]:
        before = drawing.text
        with pytest.raises(NotDone, match=says):
            change()
        assert drawing.text == before


MESSAGES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["text", "add", "rename", "count", "sort", "delete", "connect", "disconnect", "label", "undo", "redo", "?"]
        ),
        "name": st.sampled_from(["client", "app", "cache", "x", ""]),
        "other": st.sampled_from(["client", "app", "cache", "x"]),
        "value": st.one_of(st.text(max_size=12), st.integers(-1, 2000), st.sampled_from(list(KINDS)), st.none(), cells),
    }
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(MESSAGES, max_size=12))
def test_no_message_from_the_page_breaks_the_widget(messages: list[dict[str, Any]]) -> None:
    widget = design("client: client\napp x3: app server\ncache: cache\nclient -> app\napp -> cache")
    for number, message in enumerate(messages):
        widget._told(widget, message | {"revision": number, "view": "v"}, None)
        assert widget.state["revision"] == number
        assert widget.text == f"\n{widget.state['text']}"
        assert to_text(parse(widget.text)[0]) == to_text(widget.design)
        json.dumps(widget.state, allow_nan=False)


def test_the_widget_says_what_was_done_and_what_is_missing() -> None:
    widget = design("client: client")
    widget._told(widget, {"kind": "add", "value": "load balancer", "revision": 1, "view": "v"}, None)
    assert widget.state["said"] == "Added balancer. 0 of 11 requirements are met."
    assert widget.state["chosen"] == "balancer"
    widget._told(widget, {"kind": "connect", "name": "client", "other": "nobody"}, None)
    assert widget.state["refused"]
    assert widget.state["said"].startswith("Not done: no box is called 'nobody'.")
    widget._told(widget, "nonsense", None)
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/vnd.mermaid"].startswith("flowchart TD")
    assert "no way leads from a client to an app server" in data["text/plain"]


def test_an_answer_that_is_a_design_shows_as_one_that_can_be_drawn_on() -> None:
    bundle = Answer(ID, RIGHT)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "balancer x2: load balancer: → app" in data["text/plain"]
    other = Answer("url-shortener/estimates", "\n")._repr_mimebundle_()
    assert set(other) == {"text/plain", "text/html"}
    with pytest.raises(ValueError, match="is no design"):
        design(Answer("url-shortener/estimates", "\n"))


def test_of_the_instructors_cell_the_solution_is_shown() -> None:
    text = f"\nclient: client\n### BEGIN SOLUTION{RIGHT}### END SOLUTION\n"
    assert isinstance(design(Answer(ID, text)), DesignWidget)
    assert "analytics store" in to_text(design(Answer(ID, text)).design)
    assert judge_answer(ID, text).passed


# --- the picture


@settings(max_examples=40, deadline=None)
@given(cells)
def test_no_two_boxes_lie_on_each_other(text: str) -> None:
    drawn, _ = parse(text)
    places, (width, height) = layout(drawn)
    assert set(places) == {box.name for box in drawn.boxes}
    rows: dict[float, list[float]] = {}
    for x, y in places.values():
        rows.setdefault(y, []).append(x)
        assert WIDTH / 2 <= x <= width - WIDTH / 2
        assert HEIGHT / 2 <= y <= height - HEIGHT / 2
    assert all(b - a >= WIDTH + 10 for row in rows.values() for a, b in pairwise(sorted(row)))


def test_layers_lie_below_each_other_and_a_worker_below_its_queue() -> None:
    places, _ = layout(parse(RIGHT)[0])
    order = ["client", "balancer", "app", "cache", "counter", "counts"]
    heights = [places[name][1] for name in order]
    assert heights == sorted(set(heights))
    assert places["counter"][0] == places["clicks"][0] == places["counts"][0]
    assert len({places[name][0] for name in ("client", "balancer", "app")}) == 1


def test_mermaid_takes_every_name_and_label() -> None:
    drawn, problems = parse('\nend: queue\na-b: app\na-b -> end: say "hi" | <b> `x` \\ all\n')
    assert problems == []
    text = mermaid(drawn, {"end": "overloaded"})
    label = re.search(r'-->\|"(.*)"\|', text)
    assert label is not None
    assert not set('"|<>`\\') & set(label[1])
    assert 'box_end[["end<br/>queue<br/>overloaded"]]' in text


# --- against what runs


def test_the_drawing_is_held_against_what_runs() -> None:
    topology = build("url-shortener", Settings())
    text = edited(
        ("keys x2: key service", "ids: id generator\nedge: cdn"),
        ("app -> keys: a batch of codes", "app -> ids"),
        ("client -> balancer: every request", "client -> edge\nedge -> balancer"),
    )
    found = against(text, topology)
    boxes = [row.what for row in found.boxes if row.says == "drawn only"]
    assert boxes == ["cdn", "id generator"]
    assert [row.what for row in found.boxes if row.says == "runs only"] == ["key service"]
    assert "client -> cdn" in found.drawn_only
    assert "client -> load balancer" in found.runs_only
    apps = next(row for row in found.boxes if row.what == "app server")
    assert (apps.drawn, apps.runs, apps.says) == ("app x9", "app-1, app-2, app-3", "both")
    assert "worker -> queue" not in found.drawn_only + found.runs_only
    assert 'Stack(settings={"edge": True})' in found.text()
    assert "<th" in found.html()
    same = against(design(Answer(ID, text)), topology)
    assert same == found == against(Answer(ID, text), topology) == against(parse(text)[0], topology)


def test_arrows_of_what_runs_nowhere_are_one_row() -> None:
    watched = ("app", "balancer", "keys", "worker")
    text = edited(
        ("client -> balancer: every request", "watch: monitoring\nclient -> balancer: every request")
    )
    asks = "".join(f"\nwatch -> {box}: metrics" for box in watched)
    found = against(text + asks, build("url-shortener", Settings()))
    (row,) = [row for row in found.arrows if row.what.startswith("monitoring")]
    assert (row.what, row.says) == ("monitoring -> others", "drawn only")
    assert row.drawn == "watch -> app, watch -> balancer, and 1 more"
    assert found.boxes == against(text, build("url-shortener", Settings())).boxes


def test_an_edge_that_runs_is_where_clients_come_in() -> None:
    topology = build("url-shortener", Settings(edge=True))
    found = against(edited(), topology)
    assert "cdn" in found.runs_only
    assert "client -> cdn" in found.runs_only
    assert "client -> load balancer" in found.drawn_only


def test_of_the_right_design_every_kind_runs() -> None:
    found = against(RIGHT, build("url-shortener", Settings()))
    assert found.drawn_only == []
    assert not [row for row in found.boxes if row.says != "both"]


def test_a_line_that_cannot_be_read_is_left_out_and_named() -> None:
    found = against("\na: kache\nb: cache", build("url-shortener", Settings()))
    assert "Left out, for it cannot be read: line 2: 'kache' is no kind" in found.text()
    assert "line 2" in found.html()
    assert next(row for row in found.boxes if row.what == "cache").drawn == "b"
    assert against(Design(), build("url-shortener", Settings())).drawn_only == []
