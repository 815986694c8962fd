"""A child process whose lines an event loop awaits, on every system.

asyncio's own subprocesses do not run on the event loop that Jupyter uses on Windows; pipes read by a thread do.
"""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import AsyncIterator
from types import TracebackType
from typing import IO

MAX_ERROR_TEXT = 8_000


class LineProcess:
    """`async with LineProcess(argv) as child: async for line in child: ...`

    Text in UTF-8, one item a line. Leaving the block, also by cancellation, kills the child if it still runs.
    """

    def __init__(self, argv: list[str], input: str = "", *, keep_open: bool = False, cwd: str | None = None):
        """`input` goes to the child's standard input, which then ends, unless `keep_open`: then the child may take
        its end as the sign that nobody waits for it any more."""
        self.argv = argv
        self.input = input
        self.keep_open = keep_open
        self.cwd = cwd
        self.errors = ""
        """The end of what it wrote to standard error."""
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    async def __aenter__(self) -> LineProcess:
        self._loop = asyncio.get_running_loop()
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(  # noqa: ASYNC220 -- a few milliseconds
            self.argv, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8", errors="replace", cwd=self.cwd
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._out, self._err)]
        for thread in self._threads:
            thread.start()
        try:
            await asyncio.to_thread(self._feed)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    def __aiter__(self) -> AsyncIterator[str]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield line

    async def wait(self) -> int:
        """Its exit code, once its output has ended."""
        return await asyncio.to_thread(self.process.wait)

    def tell(self, line: str) -> None:
        """Writes a line to its standard input; nothing happens if it has ended."""
        self._write(line + "\n")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()  # it is dead or dying: this does not wait for the child's will
        for thread in self._threads:
            thread.join(timeout=5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()  # type: ignore[union-attr]
            except OSError:
                pass  # what was still to be written to a child that has gone

    def _feed(self) -> None:
        self._write(self.input)
        if not self.keep_open:
            try:
                self._stdin.close()
            except OSError:
                pass

    @property
    def _stdin(self) -> IO[str]:
        assert self.process.stdin is not None
        return self.process.stdin

    def _write(self, text: str) -> None:
        try:
            self._stdin.write(text)
            self._stdin.flush()
        except (OSError, ValueError):
            pass  # it has ended; its exit code and its errors say why

    def _out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._put(line.rstrip("\n"))
        self._put(None)

    def _put(self, line: str | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
        except RuntimeError:
            pass  # the loop has closed: nobody reads any more

    def _err(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors = (self.errors + line)[-MAX_ERROR_TEXT:]
