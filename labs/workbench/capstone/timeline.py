"""What clients saw, beside the faults: the part of the ledger that concerns a failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from grading.judge.report import Moment
from workbench.capstone.ledger import Entry
from workbench.capstone.outcome import Failed
from workbench.capstone.run import Evidence
from workbench.capstone.wording import answer, request
from workbench.stack import Incident

BEFORE, AFTER = 7, 2
"""Requests that are shown before the failing one, and from it on."""


def timeline(evidence: Evidence, failed: Failed) -> tuple[Moment, ...]:
    entries = sorted(
        (entry for code in failed.codes for entry in evidence.ledger.of_code(code)),
        key=lambda entry: entry.sent,
    )
    if failed.at is None:
        moments = [*in_short(evidence, entries), *figures(evidence, failed)]
    else:
        moments = list(around(evidence, entries, failed.at))
    first = min((moment.t for moment in moments), default=-1.0)
    last = max([moment.t for moment in moments] + ([failed.at] if failed.at is not None else []), default=0.0)
    moments += [each for each in of_faults(evidence) if first <= each.t <= last]
    moments += [
        Moment(round(each.time - evidence.began, 4), each.role, happened(each), each.line)
        for each in evidence.incidents[:5]
        if first <= each.time - evidence.began <= last + 1.0
    ]
    return tuple(sorted(moments, key=lambda moment: moment.t))


def happened(incident: Incident) -> str:
    """Of what a component raised, what; of others the kind alone, since they are told of elsewhere."""
    said = incident.message.removeprefix(f"{incident.role}: ").partition(", at line")[0].partition("; ")[0]
    return said if incident.kind == "raised" else incident.kind


def around(evidence: Evidence, entries: list[Entry], at: float) -> Iterator[Moment]:
    """The first request, and those around the failing one."""
    place = next((n for n, entry in enumerate(entries) if entry.sent >= at), len(entries) - 1)
    near = entries[max(1, place - BEFORE) : place + AFTER]
    yield from (of_request(evidence, entry) for entry in [*entries[:1], *near])
    if (left_out := max(1, place - BEFORE) - 1) > 0:
        yield Moment(round(near[0].sent, 4), "…", f"after {left_out} more requests about this link")


def in_short(evidence: Evidence, entries: list[Entry]) -> Iterator[Moment]:
    """Everything, but what is alike between two faults in one line."""
    times = sorted(moment.t for moment in of_faults(evidence))

    def alike(entry: Entry) -> tuple[int, str, int]:
        return sum(t <= entry.sent for t in times), entry.op, entry.status

    for _, group in groupby((entry for entry in entries if entry.op not in ("stats", "look")), alike):
        found = list(group)
        if len(found) == 1:
            yield of_request(evidence, found[0])
        else:
            who = ", ".join(sorted({entry.client for entry in found}))
            what = f"{len(found)} times {request(found[0])} → {found[0].status or 'no answer'} (to {who})"
            yield Moment(round(found[0].sent, 4), "clients", what)


def figures(evidence: Evidence, failed: Failed) -> Iterator[Moment]:
    """What the statistics said in the end."""
    end = max((entry.answered for entry in evidence.ledger.entries), default=0.0)
    for code in failed.codes:
        if code in evidence.statistics:
            clicks = evidence.statistics[code]["clicks"]
            yield Moment(round(end, 4), "at last", f"GET /api/v1/stats/{code} → {clicks} clicks")


def of_request(evidence: Evidence, entry: Entry) -> Moment:
    what = f"{request(entry)} → {answer(entry)}"
    if entry.link >= 0:
        url = evidence.ledger.links[entry.link].planned.url
        if entry.op == "shorten":
            what = f"{request(entry)} {url} → {answer(entry)}"
        elif entry.location == url:
            what = what.replace(url, "its URL")
    if entry.took > 0.5 and entry.status:
        what += f", after {entry.took:.1f} s"
    return Moment(round(entry.sent, 4), entry.client, what)


def of_faults(evidence: Evidence) -> Iterable[Moment]:
    for each in evidence.broken:
        yield Moment(round(each.began, 4), "fault", each.fault.words())
        if each.fault.lasts and each.ended < float("inf"):
            killed = each.fault.kind == "kill"
            back = f"{each.fault.target} is back" if killed else f"the way {each.fault.where} is whole again"
            yield Moment(round(each.ended, 4), "fault", back)
