"""How things are called in reports: servers, values, commands, replies, faults."""

from __future__ import annotations

import math
from typing import Any

from grading.judge.plan import Fault, Op


def server_name(index: int) -> str:
    return f"app-{index + 1}"


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def show(value: Any) -> str:
    """A value as a report shows it."""
    if value is None:
        return "None"
    if isinstance(value, dict) and set(value) == {"not", "text"}:
        return cut(str(value["text"]), 160)
    if isinstance(value, dict):
        text = ", ".join(f"{k}={show(v)}" for k, v in value.items() if v is not None)
        return f"({cut(text, 158)})"
    if isinstance(value, int) and not isinstance(value, bool):
        return show_number(value)
    return cut(repr(value), 120)


def show_number(number: int) -> str:
    """Short where it is long; what lies at a power of 2 or of 62, by that."""
    size = number.bit_length()
    for base, least, power in ((2, 53, size - 1), (2, 53, size), (62, 65, round(size / math.log2(62)))):
        away = number - base**power
        if size >= least and abs(away) <= 1:
            return f"{base} ** {power}" + {0: "", 1: " + 1", -1: " - 1"}[away]
    text = str(number)
    return text if size <= 64 or len(text) <= 40 else f"{text[:12]}…{text[-6:]} (of {size} bits)"


FEW = 4
"""Questions of an operation "each" that are told one by one."""


def how_many(number: int, what: str) -> str:
    """So many of these, whose plural ends in s."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def grown(growth: float, what: str) -> str:
    """What a component's memory gained with each of these: the host counts the objects, not what they are."""
    objects = how_many(max(1, round(growth)), "object")
    return f"with each {what} there are about {objects} more in memory: what is kept, and where?"


def show_call(op: Op) -> str:
    """What the component is asked."""
    if op.do == "each":
        return show_each(op)
    return op.text or f"{op.method}({', '.join(map(show, op.args))})"


def show_each(op: Op) -> str:
    """What a pure method is asked: its questions if they are few, else what they are about."""
    if any(isinstance(part, dict) for question in op.args for part in question):
        return op.text  # what is asked about is too large for a line
    if len(op.args) > FEW:
        return f"{op.text} ({len(op.args)} questions)"
    return "; ".join(f"{op.method}({', '.join(map(show, question))})" for question in op.args)


def show_answers(answers: list[dict[str, Any]]) -> str:
    """Of a pure method, each with "value" or "error"."""
    if len(answers) > FEW:
        return f"{len(answers)} answers"
    return "; ".join(each["error"]["type"] if "error" in each else show(each["value"]) for each in answers)


def show_commands(commands: list[list[bytes]]) -> str:
    return cut("; ".join(" ".join(show_word(word) for word in words) for words in commands), 180)


def show_word(word: bytes) -> str:
    text = " ".join(word.decode("utf-8", "backslashreplace").split())
    return cut(text, 48)


def show_reply(reply: bytes) -> str:
    text = reply.decode("utf-8", "backslashreplace")
    if text == "$-1\r\n":
        return "nothing"
    lines = [line for line in text.split("\r\n") if line and line[0] not in "$*"]
    return cut(", ".join(line.removeprefix(":") for line in lines), 100)


REDIS_MODES = {
    "refuse": "the {0} refuses connections",
    "silent": "the {0} does not answer",
    "no-answer": "the {0} does what it is told, but its answers are lost",
    "late": "commands reach the {0} {1:g} s late, after the client has given up",
    "slow": "the {0}'s answers take {1:g} s",
    "error": "the {0} answers with errors (LOADING)",
}
PORT_MODES = {
    "unavailable": "the {0} refuses queries",
    "timeout": "the {0} does not answer within its deadline",
    "no-answer": "the {0} does what it is asked, but its answers are lost: TimedOut",
    "late": "the {0} does what it is asked {1:g} s late, long after it seemed to have timed out",
    "slow": "the {0}'s answers take {1:g} s",
}
SERVER_MODES = {"crash": "the server dies as it sends a request, which still arrives"}


def describe_fault(fault: Fault, redis: str = "cache", names: tuple[str, ...] = ()) -> str:
    """`redis`: what the slot's schema calls its Redis. `names`: of the servers."""
    modes = {redis: REDIS_MODES, "server": SERVER_MODES}.get(fault.target, PORT_MODES)
    what = modes[fault.mode].format(fault.target, fault.delay)
    called = [names[each] if names else server_name(each) for each in fault.servers]
    where = f" (for {', '.join(called)})" if called else ""
    after = " (what follows a look-up)" if fault.after_find else ""
    then = f" (after {fault.skip} that went well)" if fault.skip else ""
    times = (
        {0: "", 1: ", once"}.get(fault.count, f", {fault.count} times") if fault.target != "server" else ""
    )
    return f"{what}{where}{after}{then}{times}"
