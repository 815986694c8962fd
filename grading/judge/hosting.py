"""The judge's end of the pipe: starts a host, takes turns with it, and never trusts what it says.

Whatever the child does (ends, loops, floods, lies), the judge gets either a well-formed `Step` or one of the
exceptions below, within bounded time.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO, Any

from grading.judge import protocol, sandbox
from grading.judge.protocol import HostLost, HostUnusable, NotLoadable, Step

LINE_LIMIT = 4_000_000
PATIENCE = 40.0
"""Wall seconds for one turn; the host's own limits end it long before. The last resort."""

WALL_SECONDS_A_CPU_SECOND = 10.0
"""A component that waits without using the processor may do so many times, each within `PATIENCE`; but not for ever."""

RUN_LIMIT = 64_000_000
"""Bytes that the host may send in one run."""

OUTPUT_HEAD = 2_000
OUTPUT_TAIL = 8_000

ENCODE = json.JSONEncoder(separators=(",", ":")).encode

LAST_WORDS = re.compile(r"(?:Fatal Python error|Stack \(most recent call first\)|Current thread 0x)")
"""How faulthandler begins, in the host's error stream."""


class Host:
    """One child process, which serves many runs. Use as a context manager."""

    def __init__(
        self,
        source: str,
        schema: dict[str, Any],
        name: str,
        isolation: sandbox.Isolation = "auto",
        cpu_seconds: int = 60,
        hash_seed: int = 0,
    ) -> None:
        """`cpu_seconds`: of processor time that the child may use in all. `hash_seed`: its salt for `hash` of a str."""
        self._name = name
        how = sandbox.start(isolation, hash_seed)
        self.isolation = how.isolation
        self._process = subprocess.Popen(
            how.argv,
            env=how.env,
            cwd=how.cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in: IO[bytes] = self._process.stdin
        self._out: IO[bytes] = self._process.stdout
        self._head = bytearray()
        self._tail = bytearray()
        self._deadline = math.inf
        self._overdue = False
        self._reader = threading.Thread(target=self._drain, args=(self._process.stderr,), daemon=True)
        self._reader.start()
        self._done = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, daemon=True)
        self._watchdog.start()
        self._loaded = False
        self._left = WALL_SECONDS_A_CPU_SECOND * cpu_seconds
        """Wall seconds for all turns together."""
        self._room = RUN_LIMIT
        self.core: int | None = None
        """The one that the child is to share with the judge."""
        self.steps = 0
        """Turns taken so far."""
        self._first = {"source": source, "schema": schema, "name": name, "cpu_seconds": cpu_seconds}

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- turns

    def loaded(self) -> None:
        """Wait until the module is loaded. NotLoadable, HostLost; HostUnusable if no component is to blame."""
        if self._loaded:
            return
        self._ready()
        self._send({**self._first, "core": self.core})
        answer = self._receive()
        if "broken" in answer:
            raise NotLoadable(protocol.error(answer["broken"]))
        if answer != {"loaded": True}:
            raise HostLost("the component's process spoke out of turn")
        self._loaded = True

    def _ready(self) -> None:
        """The first line, which the host sends before it takes the source."""
        self._deadline = time.monotonic() + PATIENCE
        line = self._out.readline(LINE_LIMIT)
        if line != b'{"ready":true}\n':
            self.close()
            said = self.output().strip() or repr(line)
            raise HostUnusable(f"the judge's own process could not start:\n{said}")

    def begin(
        self,
        seed: int,
        epoch: float,
        servers: int,
        values: dict[str, Any],
        own: Sequence[dict[str, Any]] = (),
    ) -> Step:
        """`values`: what the constructor is given; `own`: by server, what it is given in their place."""
        self.loaded()
        self._room = RUN_LIMIT
        run = {"seed": seed, "epoch": epoch, "servers": servers, "values": values, "own": list(own)}
        self._send({"run": run})
        return self._step()

    def step(self, actions: list[list[Any]]) -> Step:
        self._send({"do": actions})
        return self._step()

    def end(self) -> None:
        """End the run; the host stays for the next."""
        self._send({"do": [["end"]]})
        if self._receive() != {"ended": True}:
            raise HostLost("the component's process spoke out of turn")

    def _step(self) -> Step:
        self.steps += 1
        return protocol.step(self._receive())

    # --- lines

    def _send(self, message: dict[str, Any]) -> None:
        self._deadline = time.monotonic() + PATIENCE
        try:
            self._in.write(ENCODE(message).encode() + b"\n")
            self._in.flush()
        except OSError:
            raise self._lost() from None

    def _receive(self) -> dict[str, Any]:
        began = time.monotonic()
        line = self._out.readline(LINE_LIMIT)
        self._deadline = math.inf
        self._left -= time.monotonic() - began
        self._room -= len(line)
        if not line:
            raise self._lost()
        if self._left < 0:
            raise HostLost("the component took up all the time that judging may take")
        if self._room < 0:
            raise HostLost("the component asked for more in one run than 64 MB can hold")
        try:
            message = protocol.DECODER.decode(line.decode("utf-8"))
        except (ValueError, RecursionError):
            raise HostLost("the component's process sent a line that is not part of the protocol") from None
        if not isinstance(message, dict):
            raise HostLost("the component's process sent a line that is not part of the protocol")
        if "exit" in message:
            how = str(message["exit"])[:100]
            raise HostLost(
                f"the component ended the process by {how}", protocol.line_number(message.get("line"))
            )
        if "overflow" in message:
            raise HostLost("the component asked for more at once than fits a line of 4 MB")
        return message

    def _lost(self) -> HostLost:
        """Why the process is gone, as far as can be seen from its status and its last words."""
        if self._overdue:
            return HostLost(f"the component's process gave no sign of life for {PATIENCE:.0f} s")
        try:
            status = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._kill()
            status = self._process.wait(5)
        self._reader.join(5)
        number = -status if status < 0 else status - 128
        line = self._last_line()
        if number == getattr(signal, "SIGPROF", -1):
            return HostLost("the component kept the processor busy for 2 s on end: an endless loop?", line)
        if number == getattr(signal, "SIGALRM", -1):
            return HostLost(
                "the component blocked its whole server for 15 s: it waits, not by await, or loops on a busy machine",
                line,
            )
        if number == getattr(signal, "SIGXCPU", -1):
            return HostLost("the component used up the processor time that judging may take in all", line)
        if number == signal.SIGSEGV:
            return HostLost("the component crashed the interpreter", line)
        if number == getattr(signal, "SIGKILL", -1):
            return HostLost("the component's process was killed (did it use too much memory?)", line)
        return HostLost(f"the component ended the process (exit status {status})", line)

    def _last_line(self) -> int | None:
        """From faulthandler's last words. For show only: a component can write such lines as well."""
        pattern = re.compile(rf'File "{re.escape(self._name)}", line (\d+)')
        found = pattern.search(LAST_WORDS.split(self._tail.decode("utf-8", "replace"))[-1])
        return int(found[1][:6]) if found else None

    # --- the process

    def _drain(self, stream: IO[bytes]) -> None:
        """Keep the beginning and the end of what the component prints; the pipe must never fill."""
        while chunk := os.read(stream.fileno(), 65536):
            if len(self._head) < OUTPUT_HEAD:
                self._head += chunk[: OUTPUT_HEAD - len(self._head)]
            self._tail = (self._tail + chunk)[-OUTPUT_TAIL:]

    def _watch(self) -> None:
        while not self._done.wait(1.0):
            if time.monotonic() > self._deadline:
                self._overdue = True
                self._kill()
                return

    def _kill(self) -> None:
        """The child and, without a sandbox, whatever it started in its session."""
        try:
            if sys.platform != "win32":
                os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self._process.kill()

    def close(self) -> None:
        self._done.set()
        self._kill()
        self._process.wait()
        self._watchdog.join(5)
        self._reader.join(5)
        for stream in (self._in, self._out, self._process.stderr):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # bytes that the child no longer read

    def output(self) -> str:
        """The beginning of what the component printed. Call after `close`, which waits for the rest."""
        text = self._head.decode("utf-8", "replace")
        return LAST_WORDS.split(text, maxsplit=1)[0]
