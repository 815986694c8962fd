"""How the host process is started: in a bubblewrap sandbox where that works, else plainly.

In the sandbox there is the interpreter, the standard library, redis-py, `grading.host` and the contract of the
slot; no network, no other process, no home, no solutions. The learner's source comes over the pipe.
"""

from __future__ import annotations

import compileall
import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Isolation = Literal["auto", "bubblewrap", "none"]

ROOT = Path(__file__).resolve().parents[2]

VISIBLE = (
    "grading/__init__.py",
    "grading/host",
    "reference/__init__.py",
    "reference/platform/__init__.py",
    "reference/platform/errors.py",
    "reference/shortener/__init__.py",
    "reference/shortener/components",
    "reference/shortener/permutation.py",
)
"""All of this project that the sandbox holds: the host, the contracts, and a permutation, which components may use."""

PACKAGES = ("redis", *(["async_timeout"] if importlib.util.find_spec("async_timeout") else []))
"""redis-py, and what it needs on Pythons before 3.11.3."""

SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime")
"""Shared libraries that the interpreter needs, where they exist."""

PYTHON = ("-s", "-S", "-P", "-B", "-X", "utf8", "-m", "grading.host")


@dataclass(frozen=True, slots=True)
class Start:
    """What to start: argument vector, environment, working directory, and the isolation that it gives."""

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str | None
    isolation: Literal["bubblewrap", "none"]


def start(isolation: Isolation = "auto", hash_seed: int = 0) -> Start:
    """RuntimeError if bubblewrap is asked for and does not work here. `hash_seed`: the salt of `hash` of a str."""
    if isolation == "bubblewrap" and not works():
        raise RuntimeError("bubblewrap does not work here (is it installed, and allowed to make namespaces?)")
    _compile()
    if isolation == "none" or not works():
        return _plain(hash_seed)
    return _bubblewrap(hash_seed)


@functools.cache
def _compile() -> None:
    """A host may write nothing, so it would compile its modules at each start. What is compiled already stays, and
    where nothing can be written all goes on without."""
    for path in (*(ROOT / name for name in VISIBLE), *(_package_parent(name) / name for name in PACKAGES)):
        compiled = compileall.compile_dir if path.is_dir() else compileall.compile_file
        compiled(path, quiet=2)


@functools.cache
def works() -> bool:
    """Whether bubblewrap may make its namespaces here; containers often forbid it. Probed once."""
    if not sys.platform.startswith("linux") or shutil.which("bwrap") is None:
        return False
    probe = [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        "/",
        "/",
        "--tmpfs",
        "/tmp",
        "--dev",
        "/dev",
    ]
    try:
        return subprocess.run([*probe, "true"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _environment(hash_seed: int, *path: str) -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONNODEBUGRANGES": "1",
        "LC_ALL": "C.UTF-8",
    }


def _package_parent(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {name} is not installed")
    return Path(spec.origin).parent.parent


def _plain(hash_seed: int) -> Start:
    env = _environment(hash_seed, str(ROOT), *{str(_package_parent(name)) for name in PACKAGES})
    if sys.platform == "win32":
        env["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    return Start((_interpreter(), *PYTHON), env, None, "none")


def _interpreter() -> str:
    """Without the virtual environment, whose packages the component has no business with."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def _bubblewrap(hash_seed: int) -> Start:
    argv = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--chdir", "/"]
    executable = Path(_interpreter()).resolve()
    seen: set[str] = set()

    def bind(outside: Path | str, inside: Path | str) -> None:
        if str(inside) not in seen and Path(outside).exists():
            seen.add(str(inside))
            argv.extend(["--ro-bind", str(outside), str(inside)])

    for name in SYSTEM:
        bind(name, name)
    for prefix in (sys.base_prefix, sys.base_exec_prefix):
        libraries = Path(prefix).resolve() / "lib"
        if not str(libraries).startswith(("/usr/lib", "/lib")):
            bind(libraries, libraries)
    bind(executable, executable)
    for name in VISIBLE:
        bind(ROOT / name, Path("/component") / name)
    for name in PACKAGES:
        bind(_package_parent(name) / name, Path("/component") / name)
    argv += ["--dev", "/dev", "--remount-ro", "/"]
    for name, value in _environment(hash_seed, "/component").items():
        argv += ["--setenv", name, value]
    return Start((*argv, str(executable), *PYTHON), {"PATH": os.environ.get("PATH", "")}, "/", "bubblewrap")
