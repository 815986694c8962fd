"""`python -m grading.judge --serve`: judges one component after the other, for whoever has many.

Each is judged by a fork of this process, which has imported and prepared what judging needs and has seen nothing that
a learner wrote; that takes a third off a judgement. A request is a line of JSON, `{"argv": [...], "source": "..."}`:
the arguments of `python -m grading.judge`, and what it would read. The answer is a line, too: `{"status": 0, "out":
"...", "err": "..."}`, what that would have come to. The end of the requests is the end of this process. POSIX only.
"""

from __future__ import annotations

import gc
import json
import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from typing import IO, Any

from grading.judge import sandbox

Main = Callable[[Sequence[str]], int]


def serve(main: Main, prepare: Callable[[str], None]) -> None:
    """`main`: judges as its arguments say, and returns the exit status. `prepare`: loads what each judgement of a slot
    needs; what is wrong with its name is for the judgement to say."""
    with os.fdopen(os.dup(0), "rb") as requests, os.fdopen(os.dup(1), "wb") as answers:
        sandbox.start()  # whether there is one is found out once
        prepared: set[str] = set()
        for line in requests:
            asked = json.loads(line)
            slot = asked["argv"][0]
            if slot not in prepared:
                prepared.add(slot)
                prepare(slot)
                gc.collect()
                gc.freeze()  # a fork shares what nobody writes to, and the collector writes
            answers.write(json.dumps(in_a_fork(main, asked)).encode() + b"\n")
            answers.flush()


def in_a_fork(main: Main, asked: dict[str, Any]) -> dict[str, Any]:
    with (
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        source.write(asked["source"].encode("utf-8", "surrogatepass"))
        source.seek(0)
        child = os.fork()
        if not child:
            _judge(main, asked["argv"], (source, out, err))
        _, status = os.waitpid(child, 0)
        texts = {name: _read(file) for name, file in (("out", out), ("err", err))}
    return {"status": os.waitstatus_to_exitcode(status), **texts}


def _judge(main: Main, argv: Sequence[str], files: Sequence[IO[bytes]]) -> None:
    """In the fork, which ends with it. `files`: its standard input, output and error."""
    status = 70
    try:
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        status = main(argv)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(status)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
