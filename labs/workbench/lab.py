"""`workbench lab`: JupyterLab over the learner's own copy of the notebooks.

The copy lies in `work/`, which git ignores. Nobody's work there is ever overwritten (see `copies`). JupyterLab has a
configuration private to that folder: no other installation of Jupyter is disturbed, or disturbs it.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from workbench.copies import copy_notebooks

ROOT = Path(__file__).parents[2]
LABS = ROOT / "labs"
FIRST = "welcome.ipynb"


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    text = "open JupyterLab on your own copy of the notebooks"
    lab = subparsers.add_parser("lab", help=text, description=text)
    lab.add_argument("notebook", nargs="?", default=FIRST, help=f"which one to open (default: {FIRST})")
    lab.add_argument("--work", type=Path, default=ROOT / "work", help="where your copy lies (default: work)")
    lab.add_argument("--no-browser", action="store_true", help="only print the URL")
    lab.add_argument("--port", type=int, default=0, help="default: 8888, or a free one")
    lab.add_argument("--ip", default="127.0.0.1", help="address to listen on (default: this machine only)")
    lab.add_argument("--base-url", default="/", help="a path prefix, where a proxy stands in front")
    lab.add_argument("--hub", action="store_true", help="for JupyterHub, which says itself where to listen")
    lab.set_defaults(run=open_lab)


def open_lab(args: argparse.Namespace) -> int:
    work = args.work.resolve()
    news = copy_notebooks(LABS, work).text(work)
    print("\n".join(line for line in (f"Your copy of the notebooks: {work}", news) if line), flush=True)
    os.environ.update(private_jupyter(work))
    # Imported only now: Jupyter looks at the environment when it is imported.
    if args.hub:
        from jupyterhub.singleuser import main  # in the image of grading/hub alone

        main(shown("ServerApp", args.notebook, work))
    else:
        from jupyterlab.labapp import LabApp

        LabApp.launch_instance(server_arguments(args, work))
    return 0


def private_jupyter(work: Path, *, instructor: bool = False) -> dict[str, str]:
    """Writes JupyterLab's configuration into `work/.jupyter`, and returns the environment that leads there.

    `instructor`: with nbgrader's formgrader, which no learner sees."""
    home = work / ".jupyter"
    config = home / "config"
    for path, content in _files(instructor):
        target = home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        # The user's own settings stay as the user left them; what keeps Jupyter offline is written each time.
        if not (path.startswith("lab/user-settings") and target.exists()):
            target.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "lab/user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "lab/workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "IPYTHONDIR": str(home / "ipython"),
        # Its terminals, and whatever else it starts, find our commands.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _files(instructor: bool) -> list[tuple[str, Any]]:
    on = {"formgrader", "menu"} if instructor else set()
    parts = (
        "formgrader",
        "menu",
        "create-assignment",
        "course-list",
        "assignment-list",
        "validate-assignment",
    )
    off = [f"@jupyter/nbgrader:{name}" for name in parts if name not in on]
    off += ["@jupyterlab/extensionmanager-extension", "@jupyterlab/apputils-extension:announcements"]
    extensions = {
        f"nbgrader.server_extensions.{name}": name in on
        for name in ("formgrader", "validate_assignment", "assignment_list", "course_list")
    }
    quiet = {"checkForUpdates": False, "fetchNews": "false", "doNotDisturbMode": True}
    lab = {
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "extension_manager": "readonly",
        "news_url": None,
    }
    # The judge names lines of a cell: so show their numbers. And no line may end out of sight.
    cells = {"codeCellConfig": {"lineNumbers": True, "lineWrap": True}}
    # A page of text is there to be read.
    reading = {"defaultViewers": {"markdown": "Markdown Preview"}}
    settings = "lab/user-settings/@jupyterlab"
    return [
        (
            "config/jupyter_server_config.json",
            {"ServerApp": {"jpserver_extensions": extensions, **terminals()}, "LabApp": lab},
        ),
        ("config/labconfig/page_config.json", {"disabledExtensions": dict.fromkeys(off, True)}),
        (f"{settings}/apputils-extension/notification.jupyterlab-settings", quiet),
        (f"{settings}/notebook-extension/tracker.jupyterlab-settings", cells),
        (f"{settings}/docmanager-extension/plugin.jupyterlab-settings", reading),
    ]


def terminals() -> dict[str, Any]:
    """Their shell is not a login shell: that would set PATH anew, and `workbench` would not be found."""
    if sys.platform == "win32":
        return {}
    return {"terminado_settings": {"shell_command": [os.environ.get("SHELL") or "/bin/sh"]}}


def shown(application: str, notebook: str, work: Path) -> list[str]:
    """What a server shows. A path that does not exist in `work` opens the file browser instead."""
    tree = notebook if (work / notebook).is_file() else ""
    return [
        f"--ServerApp.root_dir={work}",
        f"--{application}.default_url=/lab/tree/{tree}".rstrip("/"),
        "--ServerApp.log_level=WARN",
    ]


def server_arguments(args: argparse.Namespace, work: Path) -> list[str]:
    """For `jupyter lab`: what it shows, and where it listens."""
    argv = [
        *shown("LabApp", args.notebook, work),
        f"--ServerApp.ip={args.ip}",
        f"--ServerApp.port={args.port or free_port(args.ip)}",
        f"--ServerApp.base_url={args.base_url}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        argv.append("--ServerApp.allow_root=True")
    if args.no_browser:
        argv.append("--ServerApp.open_browser=False")
    return argv


def free_port(ip: str, first: int = 8888) -> int:
    """8888 if nobody listens there, else any free one."""
    for port in (first, 0):
        with socket.socket() as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ip, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise RuntimeError(f"no free port on {ip}")
