"""The supervisor's end of the nursery: processes that were forked there, in the shape of asyncio's own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import IO

LINE = 65536
LOST = -signal.SIGTERM
"""The status of a process whose nursery is gone, and which is gone with it."""


class Forked:
    """As `asyncio.subprocess.Process`: what a role uses of it."""

    def __init__(self, pid: int, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, status: int) -> None:
        self.returncode = status
        self._ended.set()

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


class Nursery:
    """Its process starts at once, and imports while it has nothing else to do."""

    def __init__(self, log: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs, log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "workbench.stack.nursery", str(os.getpid())],
                stdin=theirs.fileno(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._socket: socket.socket | None = ours
        self._is_heard = False
        self._asked: deque[asyncio.Future[int]] = deque()
        self._born: dict[int, Forked] = {}
        self._died: dict[int, int] = {}

    async def spawn(self, arguments: list[str], cwd: Path, log: IO[bytes], limit: int) -> Forked:
        """A new process for a role: what `child` is told on its command line. OSError: it cannot be had."""
        if self._socket is None:
            raise OSError("the nursery is gone")
        loop = asyncio.get_running_loop()
        if not self._is_heard:
            loop.add_reader(self._socket, self._hear)
            self._is_heard = True
        child_in, our_out = os.pipe()
        our_in, child_out = os.pipe()
        try:
            request = json.dumps({"arguments": arguments, "cwd": str(cwd)}).encode()
            socket.send_fds(self._socket, [request], [child_in, child_out, log.fileno()])
            born: asyncio.Future[int] = loop.create_future()
            self._asked.append(born)
        except OSError:
            os.close(our_out)
            os.close(our_in)
            raise
        finally:
            os.close(child_in)
            os.close(child_out)
        stdout = asyncio.StreamReader(limit=limit)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(our_in, "rb", 0))
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, os.fdopen(our_out, "wb", 0)
        )
        pid = await born
        process = Forked(pid, asyncio.StreamWriter(transport, protocol, None, loop), stdout)
        if self._socket is None:
            process.end(LOST)
        elif pid in self._died:
            process.end(self._died.pop(pid))
        else:
            self._born[pid] = process
        return process

    def _hear(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(LINE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._lost()
        message = json.loads(data)
        if "pid" in message:
            born = self._asked.popleft()
            if not born.done():
                born.set_result(message["pid"])
        elif (process := self._born.pop(message["ended"], None)) is not None:
            process.end(message["status"])
        else:
            self._died[message["ended"]] = message["status"]

    def _lost(self) -> None:
        """It is gone, and the kernel has taken its children with it."""
        self._close()
        for process in self._born.values():
            process.end(LOST)
        self._born.clear()
        for born in self._asked:
            if not born.done():
                born.set_exception(OSError("the nursery is gone"))
        self._asked.clear()

    def _close(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def end(self) -> None:
        """Kills it; whatever it still has goes with it."""
        self._process.kill()
        self._process.wait()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
