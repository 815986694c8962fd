"""The judge's Redis: on virtual time, with the allowed commands, and never an exception for what a client sends."""

import os
import subprocess
import sys

import pytest

from grading.judge import resp
from grading.judge.redis_model import RedisModel


class Redis:
    def __init__(self) -> None:
        self.now = 1_750_000_000.0
        self.model = RedisModel(lambda: self.now)

    def __call__(self, *words: object, connection: int = 1) -> bytes:
        command = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        return self.model.execute(connection, [command])


@pytest.fixture
def redis() -> Redis:
    return Redis()


def test_keys_die_in_virtual_time(redis: Redis) -> None:
    assert redis("SET", "k", "v", "PX", 1500) == b"$2\r\nOK\r\n"
    redis.now += 1.4
    assert redis("GET", "k") == b"$1\r\nv\r\n"
    assert redis.model.ttls() == {"k": 100}
    redis.now += 0.2
    assert redis("GET", "k") == b"$-1\r\n"
    assert redis.model.ttls() == {}


def test_scripts_and_transactions(redis: Redis) -> None:
    assert redis("EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", 1, "k", "v").startswith(b"$2\r\nOK")
    redis("WATCH", "k", connection=1)
    redis("SET", "k", "changed", connection=2)
    redis("MULTI", connection=1)
    redis("SET", "k", "mine", connection=1)
    assert redis("EXEC", connection=1) == b"*-1\r\n" or redis("GET", "k") == b"$7\r\nchanged\r\n"
    assert redis("GET", "k") == b"$7\r\nchanged\r\n"


def test_a_server_without_a_script_says_noscript(redis: Redis) -> None:
    assert redis("EVALSHA", "0" * 40, 0).startswith(b"-NOSCRIPT")


@pytest.mark.parametrize(
    "command", ["BLPOP k 0", "SUBSCRIBE c", "DEBUG SLEEP 9", "SETRANGE k 500000000 x", "CONFIG GET *"]
)
def test_what_waits_or_harms_is_not_offered(redis: Redis, command: str) -> None:
    assert b"not among the commands" in redis(*command.split())
    assert b"not among the commands" in redis("EVAL", f"return redis.call('{command.split()[0]}')", 0)


@pytest.mark.parametrize(
    "script",
    [
        "return python.eval('1')",
        "return redis.call.__globals__",
        "while true do pcall(function() while true do end end) end",
        "local s = 'x' while true do s = s .. s end",
        "return string.rep('x', 1e9)",
        "local t = {} t[1] = t return t",
        "return string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')",
        "error({})",
        "return cjson.decode(('['):rep(100000))",
        "return {double = 'x'}",
    ],
)
def test_a_script_gets_an_error_and_redis_goes_on(redis: Redis, script: str) -> None:
    assert redis("EVAL", script, 0).startswith(b"-")
    assert redis("EVAL", "return 1 + 1", 0, connection=2) == b":2\r\n"


def test_two_models_do_not_share(redis: Redis) -> None:
    redis("SET", "k", "v")
    assert Redis()("GET", "k") == b"$-1\r\n"


def test_parse_commands() -> None:
    data = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
    assert resp.parse_commands(data * 2) == [[b"GET", b"k"]] * 2
    for broken in (b"GET k\r\n", b"*1\r\n$3\r\nGE", b"*1\r\n$-1\r\n", b"*0\r\n", b"*x\r\n", data[:-1]):
        with pytest.raises(ValueError):  # noqa: PT011 - any complaint will do
            resp.parse_commands(broken)


def test_encode() -> None:
    assert resp.encode([1, b"a", None, [True]]) == b"*4\r\n:1\r\n$1\r\na\r\n$-1\r\n*1\r\n:1\r\n"
    assert resp.error("two\r\nlines") == b"-two  lines\r\n"


SETS = """
from grading.judge.redis_model import RedisModel
redis = RedisModel(lambda: 1.0)
for command in ("SADD k " + " ".join(f"m{n}" for n in range(30)), "SMEMBERS k", "SUNION k", "SPOP k 3", "SSCAN k 0"):
    print(redis.execute(1, [command.encode().split()]))
print(redis.execute(1, [[b"EVAL", b"return redis.call('SMEMBERS', KEYS[1])", b"1", b"k"]]))
"""


def test_sets_answer_alike_in_every_process() -> None:
    """A Python set has its order from the process's hash seed."""
    told = {
        subprocess.run(
            [sys.executable, "-c", SETS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(told) == 1
