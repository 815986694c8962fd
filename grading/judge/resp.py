"""The Redis protocol (RESP2), as far as the judge needs it: to read what a client wrote, and to answer."""

from __future__ import annotations

from typing import Any

COMMANDS_AT_ONCE = 2_000


def parse_commands(data: bytes) -> list[list[bytes]]:
    """The commands in one write, each a list of its words. ValueError if the bytes are not whole commands."""
    commands: list[list[bytes]] = []
    position = 0
    while position < len(data):
        count, position = _number(data, position, b"*")
        words: list[bytes] = []
        for _ in range(count):
            length, position = _number(data, position, b"$")
            end = position + length
            if length < 0 or data[end : end + 2] != b"\r\n":
                raise ValueError("a word without its end")
            words.append(data[position:end])
            position = end + 2
        if not words or len(commands) >= COMMANDS_AT_ONCE:
            raise ValueError("an empty command, or too many at once")
        commands.append(words)
    return commands


def _number(data: bytes, position: int, sign: bytes) -> tuple[int, int]:
    end = data.find(b"\r\n", position, position + 24)
    if end < 0 or data[position : position + 1] != sign:
        raise ValueError(f"expected {sign.decode()}")
    return int(data[position + 1 : end]), end + 2


def larger(value: Any, limit: int) -> bool:
    """Whether a reply holds more than `limit` bytes, counted without making it: one text may be in it often."""
    left = limit
    waiting = [value]
    while waiting and left >= 0:
        each = waiting.pop()
        left -= len(each) if isinstance(each, bytes | str) else 3
        if isinstance(each, list | tuple):
            left -= len(each)
            waiting.extend(each[: max(0, left)])
    return left < 0


def encode(value: Any, depth: int = 0) -> bytes:
    """A reply. Exceptions become error replies; ValueError for what RESP2 cannot say."""
    if depth > 32:
        raise ValueError("nested too deeply")
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, bool):
        return b":%d\r\n" % value
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, float):
        value = repr(value).encode()
    if isinstance(value, bytes):
        return b"$%d\r\n%s\r\n" % (len(value), value)
    if isinstance(value, list | tuple):
        return b"*%d\r\n%s" % (len(value), b"".join(encode(each, depth + 1) for each in value))
    if isinstance(value, Exception):
        return error(str(value))
    raise ValueError(f"no reply: {type(value).__name__}")


def error(message: str) -> bytes:
    return b"-%s\r\n" % message.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")[:500]
