"""A component that reaches into the host's process, or hands over what is not what it seems, gains nothing by it.

Each is a right component (the reference) with a few lines more, and gets no point that the reference would not get.
"""

from pathlib import Path

import pytest

from grading.judge import Verdict, hosting, judge, kinds
from grading.judge.redis_model import RedisModel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CODES = "url-shortener/hash-codes"
BASE62 = "url-shortener/base62"


def source(name: str) -> str:
    return (ROOT / f"reference/shortener/{name}.py").read_text()


def wrapped(name: str, class_name: str, method: str, code: str, before: str = "") -> str:
    """The reference, whose `method` (async, or not) does `code` first; in it `real(*args)` is what it did before."""
    kind = "async def" if class_name != "Base62" else "def"
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    head = f"{source(name)}\n{before}\nreal = {class_name}.{method}\n"
    return f"{head}{kind} tampered(self, *args):\n{lines}\n{class_name}.{method} = tampered\n"


def codes(code: str, before: str = "", only: tuple[str, ...] = ("form", "one-trip")) -> Verdict:
    text = wrapped("hash_codes", "HashCodes", "new_code", code, before)
    return settled(judge(CODES, text, [1], only=only))


def base62(code: str, before: str = "", only: tuple[str, ...] = ()) -> Verdict:
    text = wrapped("base62", "Base62", "encode", code, before)
    return settled(judge(BASE62, text, [1], only=only))


def settled(verdict: Verdict) -> Verdict:
    """It is a verdict, of the component and not of the judge, and can be written down."""
    assert "the judge itself failed" not in (verdict.crashed or "")
    assert "judge" not in (verdict.crashed or "").split(":")[0]
    assert Verdict.from_json(verdict.to_json()) == verdict
    verdict.text().encode()
    verdict.html().encode()
    return verdict


HOST = "import sys, gc, os\nrun = next(o for o in gc.get_objects() if type(o).__name__ == 'Run')\n"

FORGED = {
    "line through the channel": HOST + "run.channel.send({'ended': True})",
    "line by number": (
        "import os\nfor fd in range(3, 30):\n"
        "  try: os.write(fd, b'{\"ended\":true}\\n')\n  except OSError: pass"
    ),
    "two objects with one key": HOST + 'run.channel._out.write(b\'{"idle":null,"idle":1,"events":[[]]}\\n\')',
    "a line without end": HOST + "run.channel._out.write(b'x' * 5_000_000)",
    "a deep line": HOST + "run.channel._out.write(b'[' * 100_000 + b'\\n')",
    "a number of 5,000 digits": HOST
    + "run.channel._out.write(b'{\"idle\":' + b'9' * 5000 + b',\"events\":[]}\\n')",
    "not a number": HOST + 'run.channel._out.write(b\'{"idle":NaN,"events":[]}\\n\')',
    "infinity": HOST + 'run.channel._out.write(b\'{"idle":1e999,"events":[]}\\n\')',
    "not UTF-8": HOST + "run.channel._out.write(b'\\xff\\xfe\\n')",
    "an answer to nobody": HOST + "run.events.append(['return', 99, 'x', None])",
    "the same answer twice": HOST + "run.events += [['return', 0, 'aaaaaaa', None]] * 2",
    "a question of another kind": HOST
    + "run.events.append(['ask', 10**6, 0, 'namespace', 'claim', [['a']], 0, None])",
    "a question without a port": HOST
    + "run.events.append(['ask', 10**6, 0, 'store', 'claim', ['a'], 0, None])",
    "a question of a server that there is not": HOST
    + "run.events.append(['ask', 10**6, 9, 'namespace', 'claim', ['a'], 0, None])",
    "a huge number of a request": HOST
    + "run.events.append(['ask', 10**30, 0, 'namespace', 'claim', ['a'], 0, None])",
    "a command of nobody": HOST + "run.events.append(['write', 77, 1, '*1\\r\\n$4\\r\\nPING\\r\\n', None])",
    "an answer to a pure method": HOST + "run.events.append(['each', 0, [], None])",
    "a weight": HOST + "run.events.append(['weight', 2**80, None])",
    "an instance": HOST + "run.events.append(['made', 17, ['start'], None])",
    "overflow": HOST + "run.events += [['refused', 'x' * 100, None]] * 100_000",
}


@pytest.mark.parametrize("code", FORGED.values(), ids=FORGED)
def test_forged_lines_end_it_all(code: str) -> None:
    verdict = codes(code + "\nreturn await real(self, *args)")
    assert verdict.points == 0


ENDS = {
    "exit in a pure method": "import sys; sys.exit(0)",
    "_exit in a pure method": "import os; os._exit(0)",
    "memory in a pure method": "x = bytearray(1 << 33)",
    "a loop in a pure method": "while True: pass",
    "a loop in repr": "class E:\n  def __repr__(self):\n    while True: pass\nreturn E()",
    "exit in repr": "class E:\n  def __repr__(self): raise SystemExit\nreturn E()",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "exit in a finalizer": "import os\nclass E:\n  def __del__(self): os._exit(0)\nE()",
    "a signal": "import signal; signal.raise_signal(signal.SIGTERM)",
}


@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS)
def test_what_ends_in_a_pure_method_earns_nothing(code: str) -> None:
    assert base62(code).points == 0


LIES = {
    "a str of its own": (
        "class S(str):\n  def __eq__(self, other): return True\n  __hash__ = str.__hash__\nreturn S('x')"
    ),
    "an int of its own": "class I(int): pass\nreturn I(3)",
    "a class that lies": "class L:\n  __class__ = str\nreturn L()",
    "equal to all": "class L:\n  def __eq__(self, other): return True\n  def __hash__(self): return 0\nreturn L()",
    "repr raises": "class L:\n  def __repr__(self): raise ValueError\nreturn L()",
    "half a character": "return '\\ud800' * 7",
    "a deep list": "x = []\nfor _ in range(50_000): x = [x]\nreturn x",
    "itself": "x = []\nx.append(x)\nreturn x",
    "NaN": "return float('nan')",
    "a huge number": "return 10 ** 5000",
    "a coroutine": "async def f(): pass\nreturn f()",
    "a generator without end": "import itertools\nreturn itertools.count()",
}


@pytest.mark.parametrize("code", LIES.values(), ids=LIES)
def test_values_that_lie_are_wrong(code: str) -> None:
    assert codes(code).points == 0
    verdicts = {each.id: each.verdict for each in base62(code).requirements}
    assert {id for id, verdict in verdicts.items() if verdict == "pass"} <= {"decode", "bad-text"}


ARGUMENTS = {
    "without end": "import itertools\nawait args[-1].claim(itertools.count())",
    "a str of its own": "class S(str): pass\nawait args[-1].claim(S('aaaaaaa'))",
    "half a character": "await args[-1].claim('\\ud800')",
    "too many": "await args[-1].claim('a', 'b')",
    "none": "await args[-1].claim()",
    "deep": "x = []\nfor _ in range(50_000): x = [x]\nawait args[-1].claim(x)",
    "4 MB": "await args[-1].claim('x' * 5_000_000)",
}


@pytest.mark.parametrize("code", ARGUMENTS.values(), ids=ARGUMENTS)
def test_what_is_handed_to_a_port_is_looked_at(code: str) -> None:
    assert codes(code + "\nreturn await real(self, *args)").points == 0


PORTS = {
    "used after the call": (
        "import asyncio\nasync def later(port):\n  await asyncio.sleep(0)\n  await port.claim('zzzzzzz')\n"
        "asyncio.create_task(later(args[-1]))\nreturn await real(self, *args)"
    ),
    "another call's": "kept.append(args[-1])\nreturn await real(self, *args[:-1], kept[0])",
}


@pytest.mark.parametrize("code", PORTS.values(), ids=PORTS)
def test_a_port_belongs_to_its_call(code: str) -> None:
    """The judge knows whose port it was: a claim by another call's port gives that call nothing."""
    verdict = codes(code, before="kept = []", only=("one-trip",))
    assert verdict.points == 0


CRASHES = {
    "swallows its end": (
        "import asyncio\nasync def on():\n  while True:\n    try: await asyncio.sleep(0.01)\n"
        "    except asyncio.CancelledError: pass\nasyncio.create_task(on())\nreturn await real(self, *args)"
    ),
    "asks in a finally": "try: return await real(self, *args)\nfinally: await args[-1].taken('zzzzzzz')",
    "writes in a finalizer": (
        "class E:\n  def __del__(self): print('x' * 1000)\nkeep = E()\nreturn await real(self, *args)"
    ),
}


@pytest.mark.parametrize("code", CRASHES.values(), ids=CRASHES)
def test_who_dies_is_dead(code: str) -> None:
    """ "claimed" has a server die among its callers."""
    verdict = codes(code, only=("claimed",))
    assert verdict.crashed is None
    assert {each.verdict for each in verdict.requirements} <= {"pass", "fail"}


HABITS = {
    "stops asking while the store fails": (
        "try: return await real(self, *args)\nexcept Exception:\n  import asyncio\n  await asyncio.Future()"
    ),
    "raises what it likes": "try: return await real(self, *args)\nexcept Exception: raise RuntimeError from None",
}


@pytest.mark.parametrize("code", HABITS.values(), ids=HABITS)
def test_who_gives_up_under_a_fault_fails(code: str) -> None:
    assert codes(code, only=("store-failure",)).points == 0


def test_who_never_asks_under_a_fault_shows_nothing() -> None:
    """It knows the instant at which the faults begin, and does nothing then: unknown, or failed, and no point."""
    code = "if self.calls: raise Unavailable('later')\nself.calls = 1\nreturn await real(self, *args)"
    text = "from reference.platform.errors import Unavailable\nHashCodes.calls = 0"
    assert codes(code, text, only=("store-failure", "claimed")).points == 0


def test_who_keeps_away_from_a_failing_cache_shows_nothing(slot: str, reference: str) -> None:
    """It never sends the cache anything: no fault of the cache can meet it, which is `unknown`, and earns nothing."""
    text = f"""{reference}
from redis.exceptions import RedisError
class Away:
    def __init__(self, cache): self.cache = cache
    def __getattr__(self, name):
        raise RedisError("I keep away")
before = RedirectCache.__init__
def init(self, *, cache, **rest): before(self, cache=Away(cache), **rest)
RedirectCache.__init__ = init
"""
    verdict = settled(judge(slot, text, [1, 2], only=["cache-failure", "hits", "cancellation"]))
    outcomes = {each.id: each.verdict for each in verdict.requirements}
    assert outcomes["cache-failure"] in ("unknown", "fail")
    assert outcomes["hits"] == "fail"


BLOCKS = {
    "a lock": "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire(True, 30)",
    "stops itself": (
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nsignal.raise_signal(signal.SIGSTOP)"
    ),
    "no limits": (
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\n"
        "signal.setitimer(signal.ITIMER_PROF, 0)\nwhile True: pass"
    ),
}


@pytest.mark.parametrize("code", BLOCKS.values(), ids=BLOCKS)
def test_what_never_answers_is_ended(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(hosting, "PATIENCE", 3.0)
    verdict = codes(code)
    assert verdict.points == 0
    assert verdict.crashed is not None


def test_all_turns_together_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn within its limits, and thousands of them."""
    monkeypatch.setattr(hosting, "WALL_SECONDS_A_CPU_SECOND", 0.02)
    verdict = codes("import select\nselect.select([], [], [], 0.5)\nreturn await real(self, *args)")
    assert verdict.points == 0
    assert "all the time" in (verdict.crashed or "")


BOMBS = {
    "stored": "local s=string.rep('x',900000) for i=1,5000 do redis.call('set','k'..i,s) end return 1",
    "answered": "local s=string.rep('x',900000) local t={} for i=1,20000 do t[i]=s end return t",
    "answered at once": "local s=string.rep('x',900000) local t={} for i=1,7000 do t[i]=s end return unpack(t)",
    "said at once": (
        "local s=string.rep('x',900000) local t={} for i=1,7000 do t[i]=s end "
        "return redis.call('mset',unpack(t))"
    ),
    "encoded": "local s=string.rep('x',900000) local t={} for i=1,20000 do t[i]=s end return #cjson.encode(t)",
}


@pytest.mark.parametrize("script", BOMBS.values(), ids=BOMBS)
def test_scripts_do_not_fill_the_judge(script: str) -> None:
    """One text that is mentioned often is one text in Lua, and would be gigabytes in Python."""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = RedisModel(lambda: 1.75e9)
    reply = model.execute(1, [[b"eval", script.encode(), b"0"]])
    assert reply.startswith(b"-") or len(reply) <= 1_000_100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_replies_do_not_fill_the_judge() -> None:
    model = RedisModel(lambda: 1.75e9)
    model.execute(1, [[b"set", b"k", b"x" * 900_000]])
    assert model.execute(1, [[b"mget", *[b"k"] * 20_000]]).startswith(b"-ERR")
    assert len(model.execute(1, [[b"get", b"k"]] * 1_000)) < 3_000_000


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("\ud800", "str"),
        (10**400, "int"),
        (True, "int"),
        (float("inf"), "float"),
        ([["a"]], "list[str]"),
        ({"a": 1}, "any"),
        ([["a", 1], ["b"]], "map[str,int]"),
        (None, "str"),
        ("\u1234", "bytes"),
    ],
)
def test_values_of_another_kind_are_not_believed(value: object, kind: str) -> None:
    assert not kinds.fits(value, kind, {})
    believed = kinds.believed(value, kind, {})
    assert believed is None or type(believed) in (bool, str, int, float) or believed.keys() == {"not", "text"}


def test_values_of_a_kind_are_believed() -> None:
    types = {"Link": {"fields": {"code": "str", "at": "float?"}}}
    for value, kind in (
        ("a", "str"),
        (None, "Link?"),
        ({"code": "c", "at": None}, "Link"),
        ([["a", [1, 2]]], "map[str,list[int]]"),
        ("inf", "real"),
    ):
        assert kinds.fits(value, kind, types), kind
