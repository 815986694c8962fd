"""`python -m grading.judge` and `workbench check`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from workbench import checking
from workbench.cli import main as workbench

from grading.judge import Verdict
from grading.judge.__main__ import main


def test_exit_status_and_json(
    slot: str, plain: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plain.py"
    file.write_text(plain)
    assert main([slot, str(file), "--json", "--seeds", "1", "--requirement", "expiry"]) == 0
    verdict = Verdict.from_json(capfd.readouterr().out)
    assert (verdict.points, verdict.max_points, verdict.seeds) == (2, 2, (1,))
    assert main([slot, str(file), "--seeds", "1", "--requirement", "hits"]) == 1
    assert "✗  0/2  hits" in capfd.readouterr().out


def test_usage_errors(slot: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([slot, "/no/such/file"]) == 2
    assert main(["no/slot", "--list"]) == 2
    assert main([slot, __file__, "--requirement", "nonsense"]) == 2
    with pytest.raises(SystemExit) as error:
        main([slot])
    assert error.value.code == 2
    capfd.readouterr()


def test_list(slot: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([slot, "--list"]) == 0
    assert workbench(["check", "--list"]) == 0
    first, second = capfd.readouterr().out.split("url-shortener/redirect-cache: 20 points")[1:]
    assert first.strip() == second.strip()
    assert "3  deletion – " in first


def test_check_reads_the_cell_of_a_notebook(
    plain: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cell = f"%%component url-shortener/redirect-cache\n{plain}"
    cells = [
        {"cell_type": "code", "source": "1 + 1"},
        {"cell_type": "code", "source": cell.splitlines(keepends=True)},
    ]
    notebook = tmp_path / "n.ipynb"
    notebook.write_text(json.dumps({"cells": cells}))
    assert checking.components(str(notebook)) == [("url-shortener/redirect-cache", "\n" + plain)]
    assert workbench(["check", str(notebook), "--requirement", "expiry", "--seeds", "1"]) == 0
    assert "✓  2/2  expiry" in capfd.readouterr().out


def test_check_says_what_it_cannot_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    notebook = tmp_path / "n.ipynb"
    for text, complaint in (("{", "is not a notebook"), ('{"cells": []}', "has no cell")):
        notebook.write_text(text)
        assert workbench(["check", str(notebook)]) == 1
        assert complaint in capfd.readouterr().err
    assert workbench(["check", str(tmp_path / "none.py")]) == 1


@pytest.mark.skipif(os.name != "posix", reason="a shell's pipe")
@pytest.mark.parametrize("module", ["workbench.cli check", "grading.judge url-shortener/redirect-cache"])
def test_a_reader_that_has_seen_enough(plain: str, tmp_path: Path, module: str) -> None:
    """`… | head -0`: the pipe is closed before the verdict is written."""
    file = tmp_path / "plain.py"
    file.write_text(plain)
    command = [sys.executable, "-m", *module.split(), str(file), "--seeds", "1"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == 1
