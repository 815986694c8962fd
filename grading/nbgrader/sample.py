"""A class to try the instructor's tools on: a course of its own, in which six learners have handed in.

Their notebooks lie in the exchange, as if each had submitted them; what comes next is the instructor's to do.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from grading import checks
from grading.answers import BEGIN, END
from grading.nbgrader.config import COURSE_ID, PROJECT, WORK
from grading.nbgrader.steps import Course

ASSIGNMENT = "url-shortener"
SOURCE, LABS = Path("grading/source") / ASSIGNMENT, Path("labs") / ASSIGNMENT
CONFIG = '''"""The sample class: all of it lies below this folder."""

from pathlib import Path

from grading.nbgrader.config import configure

c = get_config()
configure(c, Path(__file__).parent)
c.CollectPlainFiles.check_owner = False  # all of the sample's learners are one user of this machine
'''
SLOTS = {slot.partition("/")[2] for slot in checks.SLOTS if not slot.endswith("-tester")}
ALL = SLOTS | {"requirements", "estimates", "design", "alerts"}
ESSAYS = {
    "trade-off-answer": "A counter is simple and never collides, but two codes tell how many links there are.",
    "trade-off": "Random codes: no server has to ask another, and nobody guesses the next. Some collide.",
    "status-answer": "302. Browsers keep a 301, so the second click would never be counted.",
}


@dataclass(frozen=True, slots=True)
class Learner:
    """`right`: exercises with the solution in them. `wrong`: exercise -> the name of a wrong component of ours.
    `late`: hours after the due date. `like`: whose components these are, under other names. `broken`: the notebook
    that cannot be read."""

    name: str
    right: frozenset[str] = frozenset()
    wrong: dict[str, str] = field(default_factory=dict)
    essays: bool = True
    late: float = -30.0
    like: bool = False
    broken: str = ""
    surname: str = ""


CLASS = (
    Learner("amara", frozenset(ALL), surname="Okafor"),
    Learner("bashir", frozenset(ALL - {"redirect-cache"}), {"redirect-cache": "stampede"}, surname="Haddad"),
    Learner(
        "chiara",
        frozenset(ALL - {"redirect-cache"}),
        {"redirect-cache": "stampede"},
        late=26.0,
        like=True,
        surname="Ricci",
    ),
    Learner(
        "dmitri",
        frozenset({"base62", "requirements"}),
        {"redirect-cache": "negative_for_an_hour"},
        surname="Volkov",
    ),
    Learner(
        "elif",
        frozenset(SLOTS - {"base62", "redirect-cache"}),
        {"base62": "pads_on_the_right"},
        essays=False,
        broken="02-estimation",
        surname="Kaya",
    ),
    Learner("farid", essays=False, surname="Rahimi"),
)


def sample_class(root: Path, now: datetime | None = None) -> datetime | None:
    """Makes the course at `root`; when its learners were to hand in. None, and nothing is touched, if it is there."""
    config = root / "nbgrader_config.py"
    if config.exists():
        return None
    due = (now or datetime.now(UTC)) - timedelta(hours=30)
    (root / SOURCE).parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(PROJECT / SOURCE, root / SOURCE)
    for name in ("class.ipynb", "START-HERE.md"):
        shutil.copyfile(Path(__file__).with_name(name), root / name)
    inbound = root / WORK / "exchange" / COURSE_ID / "inbound"
    inbound.mkdir(parents=True)
    for learner in CLASS:
        hand_in(learner, inbound, due + timedelta(hours=learner.late))
    config.write_text(CONFIG, "utf-8")  # last: with it the class is whole
    return due


def prepare(root: Path) -> str:
    """Makes the sample class, with its due date, if there is no course at `root` yet. Returns what is there now."""
    due = sample_class(root)
    if due is None:
        return f"The course: {root}"
    course = Course(root, ASSIGNMENT)
    course.create_gradebook()
    course.due(due)
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        for learner in CLASS:  # else each is called "None, None" in the formgrader
            gradebook.update_or_create_student(
                learner.name, first_name=learner.name.title(), last_name=learner.surname
            )
    return f"A sample class, in which six learners have handed in: {root}"


def hand_in(learner: Learner, inbound: Path, at: datetime) -> None:
    """As nbgrader's own `submit` would leave it."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    folder = inbound / f"{learner.name}+{ASSIGNMENT}+{stamp}+sample"
    folder.mkdir()
    (folder / "timestamp.txt").write_text(stamp, "utf-8")
    if not learner.broken:
        (folder / "submission_secret.txt").write_text(secrets.token_hex(64), "utf-8")
    for name, tree in notebooks_of(learner):
        whole = "" if name == f"{learner.broken}.ipynb" else json.dumps(tree, indent=1)
        (folder / name).write_text(whole, "utf-8")


def notebooks_of(learner: Learner) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file name, notebook) of each released notebook, with what this learner wrote in it."""
    for source in sorted((PROJECT / SOURCE).glob("*.ipynb")):
        tree = json.loads((PROJECT / LABS / source.name).read_text("utf-8"))
        solved = {cell["id"]: text(cell) for cell in json.loads(source.read_text("utf-8"))["cells"]}
        for cell in tree["cells"]:
            fill(cell, solved.get(cell["id"], ""), learner)
        yield source.name, tree


def fill(cell: dict[str, Any], solved: str, learner: Learner) -> None:
    """Puts into a released cell what this learner wrote there."""
    name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
    if name in ESSAYS and learner.essays:
        cell["source"] = ESSAYS[name]
    if name in learner.wrong:
        slot = text(cell).partition("\n")[0]
        path = (
            PROJECT / f"grading/mutants/url_shortener/{name.replace('-', '_')}/wrong/{learner.wrong[name]}.py"
        )
        written = path.read_text("utf-8")
        if learner.like:
            written = f"# all by myself\n{written.replace('look_up', 'fetch').replace('ticket', 'stamp')}"
        cell["source"] = f"{slot}\n{written}"
    elif name in learner.right:
        first, _, rest = solved.partition("\n")
        solution = rest.partition(f"{BEGIN}\n")[2].partition(END)[0]
        future = "from __future__ import annotations\n" if first.startswith("%%component") else ""
        cell["source"] = f"{first}\n{future}{solution}"


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])
