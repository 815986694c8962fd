"""Finding the line of a component in exceptions, frames, dumps and traced memory."""

import faulthandler
import sys
import tracemalloc
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from workbench.stack.memory import MB, MemoryWatch

from reference.platform import blame
from reference.platform.blame import Place

SLOT = "url-shortener/redirect-cache"
FILE = f"<component {SLOT}>"


def load(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(source, FILE, "exec"), names)
    return names


def test_the_innermost_line_of_an_exception() -> None:
    names = load("import json\ndef outer():\n    inner()\ndef inner():\n    json.loads('{')\n")
    with pytest.raises(ValueError, match="Expecting") as caught:
        names["outer"]()
    assert blame.in_exception(caught.value) == Place(SLOT, 5)
    assert blame.describe(caught.value) | {"message": ""} == {
        "type": "JSONDecodeError",
        "message": "",
        "component": SLOT,
        "line": 5,
    }


def test_the_cause_is_blamed_when_the_error_itself_is_ours() -> None:
    names = load("def f():\n    raise KeyError('x')\n")

    def translate() -> None:
        try:
            names["f"]()
        except KeyError as error:
            raise ValueError("wrong") from error

    with pytest.raises(ValueError, match="wrong") as caught:
        translate()
    assert blame.in_exception(caught.value) == Place(SLOT, 2)


def test_a_syntax_error() -> None:
    with pytest.raises(SyntaxError) as caught:
        load("x = 1\ndef (:\n")
    assert blame.in_exception(caught.value) == Place(SLOT, 2)


def test_without_a_component_nobody_is_blamed() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    assert blame.in_exception(caught.value) is None
    assert blame.in_frame(sys._getframe()) is None
    assert blame.in_dump('Thread 0x1 (most recent call first):\n  File "/a.py", line 3 in f\n') is None


def test_a_live_frame() -> None:
    frames: list[FrameType] = []
    names = load("def f(call):\n    x = 1\n    call()\n")
    names["f"](lambda: frames.append(sys._getframe()))
    assert blame.in_frame(frames[0]) is not None


def test_what_faulthandler_writes(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    names = load("def f(call):\n    x = 1\n    call()\n")
    with path.open("w") as file:
        names["f"](lambda: faulthandler.dump_traceback(file))
    assert blame.in_dump(path.read_text()) == Place(SLOT, 3)


def test_the_event_loops_thread_comes_before_others() -> None:
    dump = f"""Timeout (0:00:01)!
Thread 0x01 (most recent call first):
  File "{FILE}", line 99 in helper
  File "/usr/lib/threading.py", line 1 in run

Thread 0x02 (most recent call first):
  File "/usr/lib/re.py", line 5 in match
  File "{FILE}", line 7 in resolve
  File "C:\\x\\workbench\\stack\\child.py", line 160 in run
"""
    assert blame.in_dump(dump) == Place(SLOT, 7)
    assert blame.top_of_dump(dump) == "/usr/lib/re.py:5 in match"


class Rig:
    """Memory and time that a test turns."""

    def __init__(self) -> None:
        self.bytes, self.seconds = 100 * MB, 0.0
        self.watch = MemoryWatch(lambda: self.bytes, lambda: self.seconds)

    def grow(self, megabytes: int) -> bool:
        self.bytes += megabytes * MB
        return self.watch.grown()


def test_a_leak_is_traced_and_named() -> None:
    rig = Rig()
    assert not rig.grow(0)
    assert not rig.grow(60)
    assert not tracemalloc.is_tracing()
    assert not rig.grow(10)
    assert tracemalloc.is_tracing()
    names = load("kept = []\ndef leak():\n    kept.append(\n        b'x' * 1_000_000)\n")
    for _ in range(5):
        names["leak"]()
    other = bytes(2_000_000)
    assert not rig.grow(60)
    assert rig.grow(10)
    holder = rig.watch.largest_holder()
    assert holder is not None
    place, size = holder
    assert place.component == SLOT
    assert place.line in (3, 4)
    assert size >= 5_000_000
    rig.watch.reset()
    assert not tracemalloc.is_tracing()
    del other


def test_growth_that_ends_was_no_leak() -> None:
    rig = Rig()
    rig.grow(0)
    rig.grow(70)
    assert tracemalloc.is_tracing()
    rig.seconds += 200
    assert not rig.grow(10)
    assert not tracemalloc.is_tracing()
    assert not rig.grow(60)
    assert not tracemalloc.is_tracing()


def test_a_swap_sets_a_new_floor() -> None:
    rig = Rig()
    rig.grow(0)
    rig.bytes += 500 * MB
    rig.watch.reset()
    assert not rig.grow(0)
    assert not tracemalloc.is_tracing()
