"""A recording of hash codes as the timeline of a report."""

from __future__ import annotations

from typing import Any

from grading.judge.report import Moment
from grading.judge.wording import server_name


def moments(recording: dict[str, Any]) -> list[Moment]:
    found = []
    if len(set(recording["keys"])) > 1:
        keys = ", ".join(
            f"{server_name(server)} has key {key}" for server, key in enumerate(recording["keys"])
        )
        found.append(Moment(0.0, "servers", keys))
    servers = {}
    for each in recording["calls"]:
        servers[each["name"]] = server_name(each["server"])
        what = f"{each['name']}: new_code({each['long_url'][:60]!r}) {outcome(each)}"
        found.append(Moment(each["began"], server_name(each["server"]), what))
    for each in recording["questions"]:
        what = f"{each['method']}({each['code']}) for {each['call']}: {answer(each)}"
        found.append(Moment(each["sent"], servers[each["call"]], what))
    return found


def outcome(call: dict[str, Any]) -> str:
    if call["outcome"] == "pending":
        return "and never ends"
    left = f" (its caller left at {call['cancelled_at']:.3f} s)" if call["cancelled_at"] is not None else ""
    what = {"raised": f"raises {call['error']}", "returned": f"gets {call['code']!r}"}.get(
        call["outcome"], call["outcome"]
    )
    return f"{what}, at {call['ended']:.3f} s{left}"


def answer(question: dict[str, Any]) -> str:
    done = {None: "it never arrived", True: "it was granted", False: "it was refused"}[question["done"]]
    if question["error"]:
        return f"{question['error']} ({done})"
    return f"no answer ({done})" if question["answer"] is None else str(question["answer"])
