"""How requests, answers and faults are called in the report."""

from __future__ import annotations

from workbench.capstone.ledger import Entry

METHODS = {"shorten": "POST", "delete": "DELETE", "look": "HEAD"}


def request(entry: Entry) -> str:
    """`GET /aB3xK9p`"""
    method = METHODS.get(entry.op, "GET")
    match entry.op:
        case "shorten":
            return f"{method} /api/v1/shorten"
        case "delete":
            return f"{method} /api/v1/links/{entry.code}"
        case "stats":
            return f"{method} /api/v1/stats/{entry.code}"
        case _:
            return f"{method} /{entry.code}"


def answer(entry: Entry) -> str:
    """`302 to https://example.org/a (app-2)`"""
    if not entry.status:
        return f"{entry.problem} after {entry.took:.1f} s"
    what = str(entry.status)
    if entry.location:
        what += f" to {entry.location}"
    elif entry.op == "shorten" and entry.status == 201:
        what += f", code {entry.code}"
    if entry.problem and (entry.status >= 500 or entry.op == "shorten"):
        what += f" “{entry.problem}”"
    return f"{what} ({entry.server})" if entry.server else what
