"""A recording of a redirect cache as the timeline of a report."""

from __future__ import annotations

from typing import Any

from grading.judge.report import Moment
from grading.judge.wording import server_name, show

STORE = "store"


def moments(recording: dict[str, Any]) -> list[Moment]:
    found = [
        Moment(0.0, STORE, f"holds {link_told(each)}") for each in recording["links"] if not each["created"]
    ]
    for each in recording["links"]:
        if each["created"]:
            found.append(Moment(each["created"], STORE, f"from now on holds {link_told(each)}"))
        if each["deleted"] is not None:
            found.append(Moment(each["deleted"], STORE, f"the link {each['code']} is deleted"))
    for each in recording["calls"]:
        what = f"{each['name']}: {each['method']}({each['code']}) {outcome(each)}"
        found.append(Moment(each["began"], server_name(each["server"]), what))
    for each in recording["queries"]:
        until = "is never answered" if each["answered"] is None else f"until {each['answered']:.3f} s"
        error = f": {each['error']}" if each["error"] else ""
        found.append(
            Moment(
                each["sent"],
                server_name(each["server"]),
                f"asks the store for {each['code']}, {until}{error}",
            )
        )
    for each in recording["looks"]:
        lives = ", ".join(
            f"{key} for ever" if left is None else f"{key} for {left:.1f} s more"
            for key, left in each["lives"]
        )
        found.append(Moment(each["at"], "cache", f"holds {lives or 'nothing'}"))
    for each in recording["outages"]:
        found.append(Moment(each["began"], each["of"], "begins to fail"))
        found.append(Moment(each["ended"], each["of"], "is back"))
    return found


def link_told(link: dict[str, Any]) -> str:
    expires = link["expires"]
    life = f", expires at {expires:g} s" if 0 <= expires < 100_000 else ", expired" if expires < 0 else ""
    return f"{link['code']}: {link['long_url'][:60]}{life}"


def outcome(call: dict[str, Any]) -> str:
    if call["outcome"] == "pending":
        return "and never ends"
    left = f" (its caller left at {call['cancelled_at']:.3f} s)" if call["cancelled_at"] is not None else ""
    what = call["outcome"]
    if what == "raised":
        what = f"raises {call['error']}"
    elif what == "returned":
        what = f"gets {show(call['answer'])}" if call["method"] == "resolve" else "returns"
    return f"{what}, at {call['ended']:.3f} s{left}"
