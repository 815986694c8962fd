"""Many codes from five generators, each a process of its own, and no code twice: ten million of them in `make soak`.

The generators share what they share in service: one counter of ranges, in a store behind TCP. One of them is killed
half way. The pool is a file for each: a Redis set would hide a code that comes twice."""

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from reference.platform import sql
from reference.platform.clock import SystemClock
from reference.platform.sqlite_server import SqliteServer
from reference.shortener.base62 import Base62
from reference.shortener.components import CODE_LENGTH
from reference.shortener.key_pool import KeyPool
from reference.shortener.key_ranges import BLOCK, SqlKeyRanges

pytestmark = pytest.mark.anyio

GENERATORS = 5
CODES = 10_000_000
"""In the slow lane a tenth."""


class FilePool:
    """A pool that notes every code that was ever added, and from which all are taken between two fillings."""

    def __init__(self, file: Path) -> None:
        self.file = file.open("ab", buffering=0)
        self.size = 0

    async def scard(self, key: str) -> int:
        return self.size

    async def sadd(self, key: str, *codes: str) -> int:
        self.file.write("".join(codes).encode())
        self.size += len(codes)
        return len(codes)


def generate(store_url: str, file: Path, count: int) -> None:
    """A generator: adds `count` codes to `file`, or a few more, and tells how far it is."""

    async def run() -> None:
        database = sql.connect(store_url, timeout=30.0)
        pool: Any = FilePool(file)
        keys = KeyPool(
            pool=pool,
            ranges=SqlKeyRanges(database),
            base62=Base62(),
            clock=SystemClock(),
            key=b"one key for all",
            batch=1,
            low_water=5000,
        )
        added = 0
        while added < count:
            pool.size = 0
            added += await keys.generate()
            print(added, flush=True)
        await database.close()

    asyncio.run(run())


def codes_in(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size // CODE_LENGTH for file in files if file.exists())


def repeats(files: Iterable[Path]) -> int:
    """How many codes of the files are there more than once. Sorted by their first character, for want of memory."""
    shelves: dict[int, bytearray] = {}
    for file in files:
        codes = file.read_bytes()
        for begin in range(0, len(codes) - CODE_LENGTH + 1, CODE_LENGTH):
            shelves.setdefault(codes[begin], bytearray()).extend(codes[begin : begin + CODE_LENGTH])
    found = 0
    for shelf in shelves.values():
        starts = range(0, len(shelf), CODE_LENGTH)
        found += len(starts) - len({bytes(shelf[start : start + CODE_LENGTH]) for start in starts})
    return found


def test_a_repeat_would_be_found(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("abcdefgabcdefhbcdefga")
    two.write_text("hbcdefgabcdefh")
    assert repeats([one]) == repeats([two]) == 0
    assert repeats([one, two]) == 1


async def started(url: str, file: Path, count: int) -> asyncio.subprocess.Process:
    """A process that runs `generate`."""
    arguments = (sys.executable, __file__, url, str(file), str(count))
    return await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)


async def issued_by_generators(folder: Path, count: int) -> list[Path]:
    """The files of five generators, and of one that takes the place of the first, which is killed half way."""
    server = SqliteServer(folder / "store.sqlite3", "127.0.0.1", 0)
    url = f"sqlite+tcp://127.0.0.1:{await server.start()}"
    each = count // GENERATORS
    files = [folder / f"codes-{n}" for n in range(GENERATORS + 1)]
    generators = [await started(url, file, each) for file in files[:GENERATORS]]
    first = generators[0]
    assert first.stdout is not None
    async for line in first.stdout:
        if int(line) >= each // 2:
            break
    first.kill()
    generators.append(await started(url, files[GENERATORS], each))
    await asyncio.gather(*(generator.communicate() for generator in generators))
    assert [generator.returncode for generator in generators] == [-9, 0, 0, 0, 0, 0]
    await server.stop()
    return files


@pytest.mark.parametrize(
    "count",
    [
        50 * BLOCK // 5,
        pytest.param(CODES // 10, marks=pytest.mark.slow),
        pytest.param(CODES, marks=[pytest.mark.slow, pytest.mark.soak]),
    ],
)
async def test_no_code_is_made_twice(tmp_path: Path, count: int) -> None:
    files = await issued_by_generators(tmp_path, count)
    assert codes_in(files) >= count
    assert repeats(files) == 0


if __name__ == "__main__":
    generate(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
