"""`%%component`: the cell is the module, and every error names the cell's own line."""

import inspect
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from workbench.notebook.component import Component, ComponentCellError, class_name, define, keep, recalled

SLOT = "url-shortener/redirect-cache"
CELL = """\
from dataclasses import dataclass


@dataclass
class RedirectCache:
    ttl: float = 1.0

    def fail(self):
        raise RuntimeError("here")
"""


@pytest.fixture(autouse=True)
def beside_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where components.json is written


def test_a_cell_becomes_a_module_with_a_class() -> None:
    component = define(SLOT, CELL)
    assert component.name == "redirect_cache"
    assert component(ttl=2.0).ttl == 2.0
    assert component.source == "\n" + CELL
    assert component.lines == 6
    assert class_name(SLOT) == "RedirectCache"


def test_tracebacks_and_inspect_show_the_line_of_the_cell() -> None:
    component = define(SLOT, CELL)
    with pytest.raises(RuntimeError) as caught:
        component().fail()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno) == ("<component url-shortener/redirect-cache>", 10)
    assert frame.line == 'raise RuntimeError("here")'
    assert inspect.getsource(component.cls).startswith("@dataclass\nclass RedirectCache:")


def test_a_syntax_error_names_the_line_of_the_cell() -> None:
    with pytest.raises(SyntaxError) as caught:
        define(SLOT, "class RedirectCache:\n    async def resolve(self, code)\n        return 1\n")
    assert caught.value.filename == "<component url-shortener/redirect-cache>"
    assert caught.value.lineno == 3


@pytest.mark.parametrize(
    ("slot", "cell", "message"),
    [
        ("RedirectCache", CELL, "no slot"),
        (SLOT, "class Cache: pass", r"class named RedirectCache; it defines Cache \(line 2\)"),
        (SLOT, "x = 1", "it defines no class"),
        (SLOT, "RedirectCache = 1", "must define a class"),
    ],
)
def test_what_is_no_component_says_why(slot: str, cell: str, message: str) -> None:
    with pytest.raises(ComponentCellError, match=message):
        define(slot, cell)


def test_a_cell_that_fails_leaves_the_last_good_module() -> None:
    good = define(SLOT, CELL)
    with pytest.raises(ZeroDivisionError):
        define(SLOT, "1 / 0")
    assert sys.modules[good.module.__name__] is good.module


@pytest.fixture
def shell() -> InteractiveShell:
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "workbench")
    return shell


def test_the_magic_binds_the_component_under_the_slots_name(shell: InteractiveShell) -> None:
    result = shell.run_cell(f"%%component {SLOT}\n{CELL}", silent=True)
    result.raise_error()
    component = shell.user_ns["redirect_cache"]
    assert isinstance(component, Component)
    assert component.slot == SLOT
    assert component.source == "\n" + CELL


def test_a_wrong_cell_is_a_usage_error_and_takes_the_old_component_away(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell(f"%%component {SLOT}\n{CELL}", silent=True)
    assert "redirect_cache" in shell.user_ns
    shell.run_cell(f"%%component {SLOT}\nx = 1", silent=True)
    assert "redirect_cache" not in shell.user_ns
    said = capsys.readouterr().err
    assert "must define a class named RedirectCache" in said
    assert "no `redirect_cache` until this cell runs" in said
    shell.run_cell("%%component\nx = 1", silent=True)
    assert "name one slot on the first line" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("class RedirectCache:\n    def resolve(self, code)\n        pass\n", "line 3"),
        ("class RedirectCache:\n    ttl = later\n", "line 3"),
    ],
)
def test_an_error_in_the_cell_shows_its_line_and_nothing_of_ours(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str, line: str
) -> None:
    shell.run_cell(f"%%component {SLOT}\n{CELL}", silent=True)
    capsys.readouterr()
    result = shell.run_cell(f"%%component {SLOT}\n{cell}", silent=True)
    assert not result.success
    said = capsys.readouterr()
    assert line in said.err
    assert "^" in said.err or "NameError" in said.err
    assert not re.search(
        r"magics\.py|component\.py|ast\.py", said.err + said.out
    )  # no frame of the workbench
    assert "redirect_cache" not in shell.user_ns


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("workbench.ComponentError('its constructor failed')", "ComponentError: its constructor failed"),
        ("__import__('asyncio').CancelledError()", "Interrupted: the cell was stopped"),
    ],
)
def test_errors_whose_message_says_all_come_without_a_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], error: str, said: str
) -> None:
    result = shell.run_cell(f"import workbench\nraise {error}")
    assert not result.success
    shown = capsys.readouterr().out
    assert said in shown
    assert "Traceback" not in shown


def test_import_is_quick_and_lazy() -> None:
    code = "import sys, workbench; print('IPython' in sys.modules, 'httpx' in sys.modules, 'pandas' in sys.modules)"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert seen.split() == ["False", "False", "False"]


def test_a_component_is_there_for_the_notebooks_that_come_later() -> None:
    assert recalled(SLOT) is None
    keep(define(SLOT, CELL))
    found = recalled(SLOT)
    assert found is not None
    assert found.source == "\n" + CELL
    assert found(ttl=2.0).ttl == 2.0
