"""House rule 1: dependencies point inward. Reads every import statement; a lazy one inside a function counts too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# package (a folder below the root) -> what of the project it may import; the longest matching key counts
MAY_IMPORT: dict[str, set[str]] = {
    "reference": {"reference"},
    "reference/platform": {"reference.platform"},
    "reference/shortener": {"reference.platform", "reference.shortener"},
    "labs/workbench": {
        "workbench",
        "reference",
        "grading.judge",
        "grading.checks",
        "grading.answers",
        "grading.nbgrader.course",
        "grading.nbgrader.sample",
    },
    "labs/workbench/stack": {"workbench.stack", "reference"},
    "compose": {
        "compose.backup",
        "compose.project",
        "compose.network",
        "reference.build",
        "compose.observability",
        "reference.platform",
        "reference.shortener.objectives",
    },
    "grading/matrix.py": {"grading.judge", "grading.checks", "grading.answers"},
    "grading/judge": {"grading.judge", "grading.checks"},
    "grading/judge/__main__.py": {"grading.judge", "grading.checks", "grading.answers"},
    "grading/answers": {"grading.answers", "grading.judge.report"},
    "grading/checks": {"grading.checks", "grading.judge"},
    "grading/host": {"grading.host", "reference.shortener.components", "reference.platform.errors"},
    "grading/nbgrader": {"grading.nbgrader", "grading.judge", "grading.checks", "grading.answers"},
    "grading/nbgrader/course.py": {"grading.nbgrader", "grading.bundle.command"},
    "grading/bundle": {"grading.bundle", "grading.answers", "grading.checks", "grading.nbgrader.similar"},
    "grading/bundle/learners": {
        "reference",
        "workbench",
        "grading.judge",
        "grading.checks",
        "grading.answers",
    },
}
OURS = {"compose", "reference", "grading", "workbench", "labs", "tests"}


def modules() -> Iterator[Path]:
    for folder in ("reference", "labs/workbench", "grading", "compose"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not path.is_relative_to(ROOT / "grading/mutants"):
                yield path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of each import; `from a import b` counts as `a.b` if that is a module of ours."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package[: len(package) - node.level + 1]
                base = ".".join([*parts, *([node.module] if node.module else [])]).removeprefix("labs.")
            for name in node.names:
                full = f"{base}.{name.name}"
                yield node.lineno, full if is_module(full) else base


def is_module(dotted: str) -> bool:
    for top in (ROOT, ROOT / "labs"):
        where = top.joinpath(*dotted.split("."))
        if where.with_suffix(".py").is_file() or where.is_dir():
            return True
    return False


def rule_for(path: Path) -> tuple[str, set[str]]:
    name = path.relative_to(ROOT).as_posix()
    best = max((key for key in MAY_IMPORT if f"{name}/".startswith(key + "/")), key=len, default="")
    return best, MAY_IMPORT.get(best, set())


def violations(path: Path) -> list[str]:
    key, allowed = rule_for(path)
    where = path.relative_to(ROOT)
    return [
        f"{where}:{line}: {key} may not import {name}"
        for line, name in imports(path)
        if name.split(".")[0] in OURS and not any(name == a or name.startswith(a + ".") for a in allowed)
    ]


@pytest.mark.parametrize("path", list(modules()), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_dependencies_point_inward(path: Path) -> None:
    assert violations(path) == []


def test_the_rule_bites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that cannot fail is a defect: an arrow that points outward is found, also a lazy or relative one."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path, raising=False)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    bad = tmp_path / "grading/judge/bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text("def f():\n    from reference.shortener import components\n")
    assert violations(bad) == ["grading/judge/bad.py:2: grading/judge may not import reference.shortener"]


ENVIRONMENT_READERS = {
    "reference/platform/settings.py",  # the services
}


def test_one_place_reads_the_environment() -> None:
    """House rule 4, for the reference: `os.environ` and `os.getenv` stand in the settings only."""
    guilty = []
    for path in sorted((ROOT / "reference").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name in ENVIRONMENT_READERS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}:
                guilty.append(f"{name}:{node.lineno}")
    assert guilty == []
