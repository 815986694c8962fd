"""Components that want points for nothing, or the judge's end: they get a clear line and no more than they earn."""

import time
from typing import Literal

import pytest

from grading.judge import Verdict, judge
from grading.judge.sandbox import works

FUTURE = "from __future__ import annotations\n"


def at_the_top(code: str, base: str) -> str:
    return FUTURE + code + "\n" + base.replace(FUTURE, "")


def in_resolve(code: str, base: str) -> str:
    head = "    async def resolve(self, code: str) -> Answer:\n"
    body = "".join(f"        {line}\n" for line in code.strip().splitlines())
    base = base.replace("self.links = links", "self.links = links; self.cache = cache")
    return base.replace(head, head + body, 1)


ENDS = {
    "loop": ("while True: pass", "processor busy"),
    "loop in C": ("import re; re.match(r'(a+)+$', 'a' * 60 + 'b')", "processor busy"),
    "_exit": ("import os; os._exit(0)", "ended the process by os._exit(0) (line 20)"),
    "sys.exit": ("import sys; sys.exit(0)", "ended the process by SystemExit (line 20)"),
    "memory": ("x = 'x' * (1 << 33)", "more memory than a server has (line 20)"),
    "segmentation fault": (
        "import faulthandler; faulthandler._sigsegv()",
        "crashed the interpreter (line 20)",
    ),
    "huge answer": ("return Answer('live', 'x' * 10_000_000)", "4 MB"),
    "forged line": (
        "import os\nfor fd in range(3, 20):\n  try: os.write(fd, b'{\"ended\":true}\\n')\n  except OSError: pass",
        "the component's process s",  # "spoke out of turn" or "sent a line that is not part of the protocol"
    ),
    "forged answer": (
        "import gc\nfor o in gc.get_objects():\n"
        "  if type(o).__name__ == 'Run': o.events.append(['return', 99, None, None])",
        "a call that nobody made",
    ),
    "forged nonsense": (
        "import gc\nfor o in gc.get_objects():\n"
        "  if type(o).__name__ == 'Run': o.events.append(['take_return', 'x'])",
        "not part of the protocol",
    ),
}


@pytest.mark.parametrize(("code", "reason"), ENDS.values(), ids=ENDS)
def test_what_ends_the_process_earns_nothing(slot: str, plain: str, code: str, reason: str) -> None:
    verdict = judge(slot, in_resolve(code, plain), [1])
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert reason in verdict.crashed
    assert all(each.verdict == "fail" for each in verdict.requirements)
    readable(verdict)


REFUSED = {
    "fork": "import os; os.fork()",
    "kill": "import os; os.kill(os.getpid(), 9)",
    "process": "import subprocess; subprocess.run(['true'])",
    "thread": "import threading; threading.Thread(target=print).start()",
    "pool": "import asyncio; await asyncio.to_thread(print)",
    "socket": "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
    "C": "import ctypes; ctypes.CDLL(None)",
    "swallowed": "import os\ntry: os.fork()\nexcept RuntimeError: pass",
}


@pytest.mark.parametrize("code", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_named(slot: str, plain: str, code: str) -> None:
    verdict = judge(slot, in_resolve(code, plain), [1], only=["answers", "expiry"])
    assert verdict.points == 0
    assert verdict.crashed is None
    finding = verdict.requirements[0].finding
    assert finding is not None
    assert "tried" in finding.got or "not available" in finding.got


FAILS = {
    "never answers": ("import asyncio; await asyncio.Future()", "never ended"),
    "sleeps": ("import time; time.sleep(3)", "blocked the event loop for 3 s"),
    "busy": ("import asyncio\nwhile True: await asyncio.sleep(0)", "without ever waiting"),
    "not an Answer": ("return 'https://example.org'", "it returned str"),
    "NaN": ("return Answer('live', float('nan'))", "it returned nan"),
    "strange state": ("return Answer('gone')", "'gone'"),
    "deep": ("x = []\nfor i in range(10000): x = [x]\nreturn x", "it returned list"),
    "half a character": ("raise ValueError('\\ud800')", "ValueError: ?"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "swallows cancellation": (
        "import asyncio\nwhile True:\n  try: await asyncio.sleep(9)\n  except asyncio.CancelledError: pass",
        "never ended",
    ),
}


@pytest.mark.parametrize(("code", "reason"), FAILS.values(), ids=FAILS)
def test_what_fails_is_told(slot: str, plain: str, code: str, reason: str) -> None:
    verdict = judge(slot, in_resolve(code, plain), [1], only=["answers"])
    finding = verdict.requirements[0].finding
    assert verdict.points == 0
    assert finding is not None
    assert reason in finding.got
    readable(verdict)


CHEATS = {
    "patched json": "import json\njson.dumps = json.JSONEncoder.encode = lambda *a, **k: '{}'",
    "patched builtins": "import builtins\nbuiltins.isinstance = lambda a, b: True\nbuiltins.len = lambda a: 0",
    "patched host": (
        "import sys\nfor name, module in list(sys.modules.items()):\n"
        "  if hasattr(module, 'LockstepLoop'): module.LockstepLoop.time = lambda self: 0.0"
    ),
    "own trace": "import sys\nsys.settrace(lambda *a: None)\nsys.setrecursionlimit(10**6)",
    "prints a verdict": 'print(\'{"points": 20, "max_points": 20}\')',
}


@pytest.mark.parametrize("code", CHEATS.values(), ids=CHEATS)
def test_cheats_gain_nothing(slot: str, plain: str, code: str) -> None:
    assert judge(slot, at_the_top(code, plain), [1]).points <= 6


SCRIPTS = {
    "Python from Lua": "return python.eval('1')",
    "attributes from Lua": "return tostring(redis.call.__globals__)",
    "endless": "while true do pcall(function() while true do end end) end",
    "memory": "local s = 'x' while true do s = s .. s end",
    "repeats": "return string.rep('x', 1e9)",
    "itself": "local t = {} t[1] = t return t",
    "bytecode": "return loadstring('x')",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_stay_in_lua(slot: str, plain: str, script: str) -> None:
    """The judge runs them in its own process. They get an error, the judge goes on, and nothing is earned."""
    code = f"try: await self.cache.eval({script!r}, 0); print('passed')\nexcept Exception as e: print(e)"
    verdict = judge(slot, in_resolve(code, plain), [1], only=["answers", "hits", "deletion"])
    assert verdict.crashed is None
    assert verdict.points == 1
    assert "passed" not in verdict.output


def test_what_does_nothing_earns_next_to_nothing(slot: str) -> None:
    source = """
from reference.shortener.components import Answer
class RedirectCache:
    def __init__(self, **ports): pass
    async def resolve(self, code): return Answer("unknown")
    async def invalidate(self, code): pass
"""
    assert judge(slot, source, [1, 2]).points == 0


def test_printing_costs_nothing(slot: str, reference: str) -> None:
    code = "import sys\nfor _ in range(500): print('noise' * 1000, file=sys.stderr)"
    started = time.monotonic()
    verdict = judge(slot, at_the_top(code, reference), [1])
    assert verdict.passed
    assert len(verdict.output) == 2000
    assert time.monotonic() - started < 30


def test_the_sandbox_holds_no_solutions(slot: str, plain: str) -> None:
    if not works():
        pytest.skip("bubblewrap does not work here")
    for line in (
        "from reference.shortener.redirect_cache import RedirectCache",
        "import grading.checks",
        f"open({__file__!r})",
        "open('/etc/passwd')",
        "open('/component/x', 'w')",
    ):
        verdict = judge(slot, at_the_top(line, plain), [1], isolation="bubblewrap")
        assert verdict.crashed is not None, line
        assert "could not be loaded" in verdict.crashed


@pytest.mark.parametrize("isolation", ["auto", "none"])
@pytest.mark.parametrize(
    ("slot", "line"),
    [
        ("url-shortener/base62", "from grading.host.given import Base62"),
        ("url-shortener/base62", "from reference.shortener.plain.base62 import Base62"),
        ("url-shortener/base62", "import importlib; importlib.import_module('reference.shortener.base62')"),
        (
            "url-shortener/click-aggregator",
            "from reference.shortener.click_aggregator import ClickAggregator",
        ),
        ("url-shortener/hash-codes", "from reference.shortener.plain.hash_codes import HashCodes"),
    ],
)
def test_our_own_components_cannot_be_imported(
    slot: str, line: str, isolation: Literal["auto", "none"]
) -> None:
    """With no sandbox either: a line that says so is better than full marks for one line."""
    verdict = judge(slot, line, [1], isolation=isolation)
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert "could not be loaded" in verdict.crashed
    assert "Refused" in verdict.crashed or "ModuleNotFoundError" in verdict.crashed


BROKEN_TEXTS = {
    "empty": ("", "must define a class RedirectCache"),
    "syntax": ("def f(:", "SyntaxError on line 1"),
    "null byte": ("x = '\0'", "null bytes"),
    "exit at import": ("import sys\nsys.exit(0)", "SystemExit on line 2"),
    "no class": ("RedirectCache = 3", "must define a class"),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN_TEXTS.values(), ids=BROKEN_TEXTS)
def test_what_cannot_be_loaded(slot: str, source: str, reason: str) -> None:
    verdict = judge(slot, source, [1])
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert reason in verdict.crashed


def readable(verdict: Verdict) -> None:
    assert Verdict.from_json(verdict.to_json()) == verdict
    verdict.text().encode()
    verdict.html().encode()


ONE_MISTAKE = {
    "exception": ("in_resolve", "1 / 0", "ZeroDivisionError on your line 20"),
    "constructor": ("in_constructor", "", "raised in its constructor: TypeError"),
    "wrong type": ("in_resolve", "return 'https://example.org'", "resolve does not return an Answer"),
}


@pytest.mark.parametrize(("where", "code", "cause"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_told_once(slot: str, plain: str, where: str, code: str, cause: str) -> None:
    source = in_resolve(code, plain) if where == "in_resolve" else plain.replace("clock: Clock,", "")
    assert source != plain
    verdict = judge(slot, source, [1])
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert verdict.crashed.startswith("one mistake fails ")
    assert cause in verdict.crashed
    assert len({each.finding for each in verdict.requirements}) <= 3
    assert "almost the right URL" not in verdict.text()
    readable(verdict)


def test_a_loop_is_told_without_a_list_of_operations(slot: str, plain: str) -> None:
    finding = judge(slot, in_resolve("while True: pass", plain), [1]).requirements[0].finding
    assert finding is not None
    assert finding.counterexample is None
    assert "calls so far was resolve(" in finding.did
