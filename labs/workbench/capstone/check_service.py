"""The service: errors that no fault explains, and components that bring their server down."""

from __future__ import annotations

from workbench.capstone.ledger import AWAY, Entry
from workbench.capstone.outcome import Failed, Kept, NotShown, Outcome, others
from workbench.capstone.run import Evidence
from workbench.capstone.wording import answer, request
from workbench.stack import Incident

ENOUGH = 40
OPERATION = {"guess": "follow", "look": "follow"}
"""For what a fault excuses."""
FINE = {
    "shorten": {201},
    "follow": {301, 302, 404, 410},
    "guess": {301, 302, 404, 410},
    "look": {301, 302, 404, 410},
    "delete": {204, 404},
    "stats": {200, 404},
}
"""Answers that are none of this requirement's business."""


def errors(evidence: Evidence) -> Outcome:
    refused = [each for each in evidence.broken if each.fault.kind == "reshard" and each.failed]
    if refused:
        return Failed(
            "the links move onto one shard more, while the service goes on",
            refused[0].failed,
            at=refused[0].began,
        )
    blamed: list[Entry] = []
    unexplained: list[Entry] = []
    counted = excused = 0
    for attempts in evidence.ledger.steps():
        last = attempts[-1]
        blamed += [each for each in attempts if each.status == 500]
        if excuse(evidence, attempts):
            excused += 1
            continue
        counted += 1
        if not fine(evidence, attempts):
            unexplained.append(last)
    if blamed:
        first = min(blamed, key=lambda each: each.sent)
        return Failed(
            f"{request(first)} is answered; no fault makes a component raise what its contract does not name",
            answer(first),
            (first.code,) if first.code else (),
            first.sent,
            others(len(blamed) - 1, "request"),
        )
    if unexplained:
        first = min(unexplained, key=lambda each: each.sent)
        return Failed(
            f"{request(first)} is answered: nothing was broken that it needs",
            f"{answer(first)}, and so at each repetition" if first.status in AWAY else answer(first),
            (first.code,) if first.code else (),
            first.sent,
            others(len(unexplained) - 1, "request"),
        )
    if counted < max(ENOUGH, excused / 3):
        return NotShown(
            f"of {counted + excused} requests {excused} met a fault that may fail them, or a machine that stood still",
            "a quieter machine, or a longer run (--seconds)",
        )
    return Kept()


def fine(evidence: Evidence, attempts: list[Entry]) -> bool:
    """Whether the last answer is one that this operation may get, at all."""
    entry = attempts[-1]
    if entry.op == "shorten" and entry.status != 201:
        planned = evidence.ledger.links[entry.link].planned
        if planned.alias and entry.status == 409:  # a rival was first; or an attempt whose answer was lost
            return planned.rival or len(attempts) > 1
        return bool(planned.lifetime) and entry.status == 422  # it took so long that its end has passed
    return entry.status in FINE[entry.op]


def excuse(evidence: Evidence, attempts: list[Entry]) -> bool:
    """Whether a fault, or the machine, may be why this request was not answered."""
    sent, answered = attempts[0].sent, attempts[-1].answered
    operation = OPERATION.get(attempts[0].op, attempts[0].op)
    if any(start <= answered and sent <= end for start, end in evidence.stalls):
        return True
    return any(operation in each.fault.excuses and each.spoils(sent, answered) for each in evidence.broken)


def alive(evidence: Evidence) -> Outcome:
    """What a component raised in a call harmed that call alone, and is the business of `errors`."""
    slot = evidence.plan.slot
    mine = [each for each in evidence.incidents if each.component == slot and each.kind != "raised"]
    others_ = [each for each in evidence.incidents if each.component is None]
    left = [role for role, there in evidence.in_place.items() if not there]
    if mine or (others_ and left):
        first = (mine or others_)[0]
        return Failed(
            f"{first.role} goes on, with the component in it",
            incident(first),
            at=first.time - evidence.began,
            also=others(len(mine) - 1, "time"),
        )
    if left or not evidence.in_place:
        return NotShown(
            f"at the end the component was not in its slot on {', '.join(left) or 'any server'}",
            "a run to its end",
        )
    return Kept()


def incident(found: Incident) -> str:
    line = f"; line {found.line}: {(found.source_line or '').strip()}" if found.line else ""
    return f"{found.kind}: {found.message}{line}"
