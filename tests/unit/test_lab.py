"""`workbench lab`: a copy that nothing overwrites, and a Jupyter that keeps to itself."""

import argparse
import json
from pathlib import Path

from workbench.lab import add_parser, free_port, private_jupyter, server_arguments


def notebook(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_jupyter_gets_folders_of_its_own_and_keeps_the_users_settings(tmp_path: Path) -> None:
    environment = private_jupyter(tmp_path)
    folders = [Path(v) for k, v in environment.items() if k.endswith("_DIR") or k == "IPYTHONDIR"]
    assert len(folders) == 6
    assert all(folder.is_relative_to(tmp_path / ".jupyter") for folder in folders)
    server = json.loads((tmp_path / ".jupyter/config/jupyter_server_config.json").read_text())
    assert set(server["ServerApp"]["jpserver_extensions"].values()) == {False}
    assert server["LabApp"]["news_url"] is None
    tracker = next(tmp_path.rglob("tracker.jupyterlab-settings"))
    tracker.write_text('{"mine": true}')
    private_jupyter(tmp_path)
    assert json.loads(tracker.read_text()) == {"mine": True}


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return parser.parse_args(["lab", *words])


def test_arguments(tmp_path: Path) -> None:
    notebook(tmp_path, "a/b.ipynb", "")
    argv = server_arguments(
        parse("a/b.ipynb", "--no-browser", "--port", "9000", "--base-url", "/u/x/"), tmp_path
    )
    assert "--LabApp.default_url=/lab/tree/a/b.ipynb" in argv
    assert "--ServerApp.port=9000" in argv
    assert "--ServerApp.base_url=/u/x/" in argv
    assert "--ServerApp.open_browser=False" in argv
    argv = server_arguments(parse("gone.ipynb"), tmp_path)
    assert "--LabApp.default_url=/lab/tree" in argv
    assert "--ServerApp.open_browser=False" not in argv


def test_a_port_that_is_taken_is_not_chosen() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) != port


def test_an_instructor_sees_the_formgrader_and_a_learner_does_not(tmp_path: Path) -> None:
    for instructor in (False, True):
        private_jupyter(tmp_path, instructor=instructor)
        config = tmp_path / ".jupyter/config"
        server = json.loads((config / "jupyter_server_config.json").read_text())
        assert (
            server["ServerApp"]["jpserver_extensions"]["nbgrader.server_extensions.formgrader"] is instructor
        )
        off = json.loads((config / "labconfig/page_config.json").read_text())["disabledExtensions"]
        assert off.get("@jupyter/nbgrader:formgrader", False) is not instructor
        assert off["@jupyter/nbgrader:assignment-list"] is True
