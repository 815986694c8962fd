"""How things are called in reports: servers, values, commands, replies, faults."""

from __future__ import annotations

from typing import Any

from grading.judge.plan import Fault


def server_name(index: int) -> str:
    return f"app-{index + 1}"


def show(value: Any) -> str:
    """A value as a report shows it."""
    if value is None:
        return "None"
    if isinstance(value, dict) and set(value) == {"not", "text"}:
        return str(value["text"])[:160]
    if isinstance(value, dict):
        text = ", ".join(f"{k}={show(v)}" for k, v in value.items() if v is not None)
        return f"({text})"[:160]
    return repr(value)[:120]


def show_commands(commands: list[list[bytes]]) -> str:
    return "; ".join(" ".join(show_word(word) for word in words) for words in commands)[:180]


def show_word(word: bytes) -> str:
    text = " ".join(word.decode("utf-8", "backslashreplace").split())
    return text if len(text) <= 48 else text[:45] + "…"


def show_reply(reply: bytes) -> str:
    text = reply.decode("utf-8", "backslashreplace")
    if text == "$-1\r\n":
        return "nothing"
    lines = [line for line in text.split("\r\n") if line and line[0] not in "$*"]
    return ", ".join(line.removeprefix(":") for line in lines)[:100]


def describe_fault(fault: Fault) -> str:
    what = {
        "refuse": "the cache refuses connections",
        "silent": "the cache does not answer",
        "no-answer": "the cache does what it is told, but its answers are lost",
        "late": f"commands reach the cache {fault.delay:g} s late, after the client has given up",
        "slow": f"the {fault.target}'s answers take {fault.delay:g} s",
        "error": "the cache answers with errors (LOADING)",
        "unavailable": "the store refuses queries",
        "timeout": "the store does not answer within its deadline",
    }[fault.mode]
    where = " (for " + ", ".join(map(server_name, fault.servers)) + ")" if fault.servers else ""
    after = " (what follows a look-up)" if fault.after_find else ""
    then = f" (after {fault.skip} that went well)" if fault.skip else ""
    return f"{what}{where}{after}{then}"
