"""Submissions that are hostile, or only unlucky: one function each, named for what it does to a notebook.

Each begins with an honest notebook, whose component earns some points, and returns the bytes of a file; those in
FOLDERS are given the folder that is handed in. KEPT: what was done changes nothing, and the component is judged as if
it had not been done. LOST: there is nothing left that could be judged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tree = dict[str, Any]
Deed = Callable[[Tree], "bytes | None"]
NAME = "04-detailed-design.ipynb"
SOLUTION, TEST = "redirect-cache", "redirect-cache-check"
HTML = "<script>fetch('https://evil.example/')</script><img src=https://evil.example/x>\x1b[2J\u202e"

KEPT: dict[str, Deed] = {}
LOST: dict[str, Deed] = {}
FOLDERS: dict[str, tuple[Callable[[Path, bytes], None], bool]] = {}
"""Name -> what is done to the folder, and whether the notebook can still be judged."""


def kept(deed: Deed) -> Deed:
    KEPT[deed.__name__.replace("_", "-")] = deed
    return deed


def lost(deed: Deed) -> Deed:
    LOST[deed.__name__.replace("_", "-")] = deed
    return deed


def folder(judged: bool) -> Callable[[Callable[[Path, bytes], None]], None]:
    def add(deed: Callable[[Path, bytes], None]) -> None:
        FOLDERS[deed.__name__.replace("_", "-")] = (deed, judged)

    return add


def cell(tree: Tree, grade_id: str) -> Tree:
    found: Tree = next(
        c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )
    return found


def claims(tree: Tree, grade_id: str) -> dict[str, Any]:
    found: dict[str, Any] = cell(tree, grade_id)["metadata"]["nbgrader"]
    return found


def text(source: str | list[str]) -> str:
    return "".join(source)


def prose(source: str) -> Tree:
    return {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": source}


def code(source: str, **claimed: Any) -> Tree:
    metadata = {"nbgrader": claimed} if claimed else {}
    return {
        "cell_type": "code",
        "id": "more",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


# --- marks that are forged


@kept
def forged_number(tree: Tree) -> None:
    result = {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {"text/plain": "20"},
    }
    cell(tree, TEST)["outputs"] = [result]


@kept
def forged_report(tree: Tree) -> None:
    metadata = {"workbench": {"points": {"answers": 20.0}, "review": False}}
    data = {"text/plain": "20 of 20", "text/html": HTML}
    cell(tree, TEST)["outputs"] = [{"output_type": "display_data", "metadata": metadata, "data": data}]


@kept
def a_number_in_every_output(tree: Tree) -> None:
    for each in tree["cells"]:
        if each["cell_type"] == "code":
            each["outputs"] = [
                {
                    "output_type": "execute_result",
                    "execution_count": 9,
                    "metadata": {},
                    "data": {"text/plain": "25"},
                }
            ]


@kept
def raised_points_of_the_test(tree: Tree) -> None:
    claims(tree, TEST)["points"] = 2000


@kept
def points_below_nothing_of_the_test(tree: Tree) -> None:
    claims(tree, TEST)["points"] = -1e308


@kept
def points_that_are_no_number(tree: Tree) -> None:
    claims(tree, TEST)["points"] = "all of them"


@kept
def points_for_the_solution(tree: Tree) -> None:
    claims(tree, SOLUTION).update(grade=True, points=1000)


@kept
def a_graded_cell_of_its_own(tree: Tree) -> None:
    claimed = {
        "grade": True,
        "solution": False,
        "locked": True,
        "task": False,
        "points": 500,
        "schema_version": 3,
    }
    tree["cells"].append(code("500", grade_id="bonus", cell_type="code", **claimed))


@kept
def a_graded_answer_of_its_own(tree: Tree) -> None:
    claimed = {
        "grade": True,
        "solution": True,
        "locked": False,
        "task": False,
        "points": 500,
        "schema_version": 3,
    }
    tree["cells"].append(code("500", grade_id="essay", cell_type="code", **claimed))


@kept
def notes_of_the_graders(tree: Tree) -> None:
    tree["metadata"]["workbench"] = {"mended": [HTML], "unusable": {SOLUTION: HTML}}


# --- cells that were changed


@kept
def a_test_that_is_a_number(tree: Tree) -> None:
    cell(tree, TEST)["source"] = "20"


@kept
def a_test_that_is_unlocked(tree: Tree) -> None:
    claims(tree, TEST)["locked"] = False


@kept
def a_test_that_is_prose(tree: Tree) -> None:
    each = cell(tree, TEST)
    each["cell_type"] = "markdown"
    claims(tree, TEST)["cell_type"] = "markdown"


@kept
def a_test_that_is_gone(tree: Tree) -> None:
    tree["cells"].remove(cell(tree, TEST))


@kept
def a_test_that_is_there_twice(tree: Tree) -> None:
    tree["cells"].append(json.loads(json.dumps(cell(tree, TEST))) | {"id": "again"})


@kept
def a_test_before_everything(tree: Tree) -> None:
    test = cell(tree, TEST)
    tree["cells"].remove(test)
    tree["cells"].insert(0, test)


@kept
def a_solution_that_was_locked(tree: Tree) -> None:
    claims(tree, SOLUTION)["locked"] = True


@kept
def a_solution_that_was_moved(tree: Tree) -> None:
    solution = cell(tree, SOLUTION)
    tree["cells"].remove(solution)
    tree["cells"].append(solution)


@kept
def a_schema_from_the_future(tree: Tree) -> None:
    claims(tree, TEST)["schema_version"] = 99


@kept
def a_schema_that_is_no_number(tree: Tree) -> None:
    claims(tree, SOLUTION)["schema_version"] = "three"


@kept
def a_checksum_of_somebody_else(tree: Tree) -> None:
    claims(tree, TEST)["checksum"] = "0" * 32


@kept
def all_cells_reversed(tree: Tree) -> None:
    tree["cells"].reverse()


@kept
def cells_without_ids(tree: Tree) -> None:
    for each in tree["cells"]:
        del each["id"]


@kept
def one_id_for_all_cells(tree: Tree) -> None:
    for each in tree["cells"]:
        each["id"] = "same"


@kept
def ids_that_are_no_text(tree: Tree) -> None:
    for number, each in enumerate(tree["cells"]):
        each["id"] = {"number": number}


@kept
def things_among_the_cells(tree: Tree) -> None:
    tree["cells"][1:1] = [None, 7, "cell", [], {}, {"cell_type": "heading", "source": 3}]


@kept
def metadata_that_is_a_list(tree: Tree) -> None:
    tree["cells"].insert(0, prose("hello") | {"metadata": [1, 2]})


@kept
def claims_that_are_no_table(tree: Tree) -> None:
    tree["cells"].insert(0, code("1") | {"metadata": {"nbgrader": "yes"}})


@kept
def an_id_that_is_a_path(tree: Tree) -> None:
    tree["cells"].append(code("1", grade_id="../../../../etc/passwd", grade=True, points=5, schema_version=3))


# --- how the file is written


@kept
def lines_that_end_as_on_windows(tree: Tree) -> None:
    solution = cell(tree, SOLUTION)
    solution["source"] = text(solution["source"]).replace("\n", "\r\n")


@kept
def sources_as_lists_of_lines(tree: Tree) -> None:
    for each in tree["cells"]:
        each["source"] = text(each["source"]).splitlines(keepends=True)


@kept
def a_byte_order_mark(tree: Tree) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(tree).encode()


@kept
def windows_line_ends_in_the_file(tree: Tree) -> bytes:
    return json.dumps(tree, indent=1).replace("\n", "\r\n").encode()


@kept
def a_minor_version_from_the_future(tree: Tree) -> None:
    tree["nbformat_minor"] = 99


@kept
def numbers_that_are_none(tree: Tree) -> bytes:
    tree["metadata"]["x"] = float("nan")
    return json.dumps(tree).encode()


@kept
def half_a_character(tree: Tree) -> None:
    tree["cells"].insert(0, prose("\ud800 and \udfff"))


@kept
def a_kernel_of_another_language(tree: Tree) -> None:
    tree["metadata"]["kernelspec"] = {"name": "../bash", "display_name": HTML, "language": "bash"}


@kept
def scripts_in_prose_and_titles(tree: Tree) -> None:
    tree["metadata"]["title"] = HTML
    tree["cells"].insert(0, prose(f"{HTML} [x](javascript:alert(1)) ![y](https://evil.example/y)"))


@kept
def scripts_in_the_solution(tree: Tree) -> None:
    solution = cell(tree, SOLUTION)
    solution["source"] = f"{text(solution['source'])}\n# {HTML}\n"


@kept
def scripts_in_attachments(tree: Tree) -> None:
    tree["cells"].insert(0, prose("![x](attachment:x)") | {"attachments": {"x": {"text/html": HTML}}})


# --- size


@kept
def ten_megabytes_of_prose(tree: Tree) -> None:
    tree["cells"].insert(0, prose("word " * 2_000_000))


@kept
def outputs_of_five_megabytes(tree: Tree) -> None:
    cell(tree, SOLUTION)["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 5_000_000}]


@kept
def fifteen_hundred_cells(tree: Tree) -> None:
    tree["cells"] += [code(f"x = {number}") | {"id": f"c{number}"} for number in range(1500)]


@kept
def a_forest_of_widgets(tree: Tree) -> None:
    tree["metadata"]["widgets"] = {"state": {str(number): {"x": [0] * 100} for number in range(5000)}}


@lost
def more_cells_than_are_read(tree: Tree) -> None:
    tree["cells"] += [code("1") | {"id": f"c{number}"} for number in range(2001)]


@lost
def a_file_of_thirty_megabytes(tree: Tree) -> None:
    tree["cells"].insert(0, prose("x" * 30_000_000))


@lost
def a_component_of_a_megabyte(tree: Tree) -> None:
    solution = cell(tree, SOLUTION)
    solution["source"] = f"{text(solution['source'])}\nx = '{'x' * 1_000_000}'\n"


# --- nothing to judge


@lost
def zero_bytes(tree: Tree) -> bytes:
    return b""


@lost
def only_blanks(tree: Tree) -> bytes:
    return b" \n\n "


@lost
def half_a_file(tree: Tree) -> bytes:
    whole = json.dumps(tree).encode()
    return whole[: len(whole) // 2]


@lost
def a_python_file(tree: Tree) -> bytes:
    return text(cell(tree, SOLUTION)["source"]).encode()


@lost
def a_list(tree: Tree) -> bytes:
    return json.dumps(tree["cells"]).encode()


@lost
def another_encoding(tree: Tree) -> bytes:
    return json.dumps(tree).encode("utf-16")


@lost
def bytes_that_are_no_text(tree: Tree) -> bytes:
    return b"\xff\xfe\xfa\x00" * 1000


@lost
def brackets_without_end(tree: Tree) -> bytes:
    return b'{"cells":' + b"[" * 200_000


@lost
def a_number_without_end(tree: Tree) -> bytes:
    return b'{"nbformat": ' + b"9" * 100_000 + b"}"


@lost
def an_older_format(tree: Tree) -> None:
    tree["nbformat"] = 3


@lost
def cells_that_are_no_list(tree: Tree) -> None:
    tree["cells"] = {str(number): each for number, each in enumerate(tree["cells"])}


@lost
def no_cells(tree: Tree) -> None:
    tree["cells"] = []


@lost
def a_solution_that_is_gone(tree: Tree) -> None:
    tree["cells"].remove(cell(tree, SOLUTION))


@lost
def a_solution_that_is_there_twice(tree: Tree) -> None:
    tree["cells"].append(json.loads(json.dumps(cell(tree, SOLUTION))) | {"id": "again"})


@lost
def a_solution_that_is_prose(tree: Tree) -> None:
    cell(tree, SOLUTION)["cell_type"] = "markdown"


@lost
def a_solution_that_is_empty(tree: Tree) -> None:
    cell(tree, SOLUTION)["source"] = ""


@lost
def a_solution_without_its_first_line(tree: Tree) -> None:
    solution = cell(tree, SOLUTION)
    solution["source"] = text(solution["source"]).partition("\n")[2]


@lost
def a_solution_for_an_easier_slot(tree: Tree) -> None:
    solution = cell(tree, SOLUTION)
    solution["source"] = text(solution["source"]).replace(
        "url-shortener/redirect-cache", "url-shortener/base62", 1
    )


@lost
def a_solution_for_no_slot(tree: Tree) -> None:
    solution = cell(tree, SOLUTION)
    solution["source"] = text(solution["source"]).replace(
        "url-shortener/redirect-cache", "../../../etc/passwd", 1
    )


@lost
def a_solution_with_another_id(tree: Tree) -> None:
    claims(tree, SOLUTION)["grade_id"] = "redirect-cache-2"


# --- what lies in the folder


@folder(judged=True)
def a_timestamp_that_is_none(where: Path, honest: bytes) -> None:
    (where / NAME).write_bytes(honest)
    (where / "timestamp.txt").write_text("yesterday, or so")


@folder(judged=True)
def programs_beside_the_notebook(where: Path, honest: bytes) -> None:
    (where / NAME).write_bytes(honest)
    for name in ("redis.py", "grading.py", "sitecustomize.py", "conftest.py", "nbgrader_config.py"):
        (where / name).write_text("raise SystemExit('mine')")


@folder(judged=True)
def another_notebook_beside(where: Path, honest: bytes) -> None:
    (where / NAME).write_bytes(honest)
    (where / "05-mine.ipynb").write_bytes(honest)


@folder(judged=True)
def a_link_beside_the_notebook(where: Path, honest: bytes) -> None:
    (where / NAME).write_bytes(honest)
    os.symlink("/etc/passwd", where / "passwd.html")


@folder(judged=False)
def a_link_to_somebody_elses_notebook(where: Path, honest: bytes) -> None:
    other = where.parent / "honest-1" / NAME
    os.symlink(other, where / NAME)


@folder(judged=False)
def a_folder_for_a_notebook(where: Path, honest: bytes) -> None:
    (where / NAME).mkdir()
    (where / NAME / NAME).write_bytes(honest)


@folder(judged=False)
def a_pipe_for_a_notebook(where: Path, honest: bytes) -> None:
    os.mkfifo(where / NAME)


@folder(judged=False)
def another_name(where: Path, honest: bytes) -> None:
    (where / "homework.ipynb").write_bytes(honest)


@folder(judged=False)
def nothing_at_all(where: Path, honest: bytes) -> None:
    pass
