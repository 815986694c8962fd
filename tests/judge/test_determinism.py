"""The same seed gives the same bytes, whatever machine, sandbox or hash seed."""

import os
import subprocess
import sys

import pytest

from grading.judge import judge
from grading.judge.sandbox import works

ROLLS = """
import datetime, os, random, secrets, time, uuid
from reference.shortener.components import Answer

class RedirectCache:
    def __init__(self, *, cache, links, clock, random, ttl):
        self.own = random
        self.clock = clock

    async def resolve(self, code):
        print(time.time(), time.monotonic(), time.time_ns(), datetime.datetime.now(datetime.UTC), datetime.date.today())
        print(random.random(), secrets.token_hex(4), os.urandom(4), uuid.uuid4(), self.own.random(), hash("text"))
        print(random.Random().random(), random.Random(5).random())
        assert abs(time.time() - self.clock.now()) < 1e-6
        assert isinstance(datetime.datetime.now() + datetime.timedelta(1), datetime.datetime)
        before = time.time(), time.monotonic()
        await self.clock.sleep(1.5)
        assert abs(time.time() - before[0] - 1.5) < 1e-3 and abs(time.monotonic() - before[1] - 1.5) < 1e-3
        return Answer("unknown")

    async def invalidate(self, code):
        pass
"""


def command_line(source: str, **environment: str) -> bytes:
    command = [
        sys.executable,
        "-m",
        "grading.judge",
        "url-shortener/redirect-cache",
        "-",
        "--json",
        "--seeds",
        "3,9",
    ]
    done = subprocess.run(
        command, input=source.encode(), capture_output=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_same_bytes_from_two_processes(plain: str) -> None:
    assert command_line(plain, PYTHONHASHSEED="1") == command_line(plain, PYTHONHASHSEED="2")


def test_time_and_chance_follow_the_seed(slot: str) -> None:
    first, second = (judge(slot, ROLLS, [5], only=["answers"]) for _ in range(2))
    assert first.output.startswith("1750000000.1")
    assert first.to_json() == second.to_json()
    assert first.output != judge(slot, ROLLS, [6], only=["answers"]).output


def test_same_bytes_without_the_sandbox(slot: str, plain: str) -> None:
    if not works():
        pytest.skip("bubblewrap does not work here")
    inside = judge(slot, plain, [4], isolation="bubblewrap").to_json()
    outside = judge(slot, plain, [4], isolation="none").to_json()
    assert inside == outside.replace('"isolation": "none"', '"isolation": "bubblewrap"')
