"""Whether the faults met any work: only then a requirement that held has been shown."""

from __future__ import annotations

from workbench.capstone.breaking import Broken
from workbench.capstone.outcome import NotShown
from workbench.capstone.run import Evidence

ENOUGH = 3
"""Requests that a fault must have met."""
CALLS = 10
"""Calls of the component at least."""
CODES = ("base62", "hash-codes", "snowflake-codes", "key-pool")


def not_shown(evidence: Evidence) -> NotShown | None:
    """Why nothing that held was shown, if so."""
    if (calls := calls_of(evidence)) < CALLS:
        return NotShown(f"the component was asked {calls} times", f"{CALLS} calls at least")
    for broken in evidence.broken:
        if broken.fault.is_fault and (why := missed(evidence, broken)) is not None:
            return NotShown(
                f"{broken.fault.words()} at {broken.began:.2f} s: {why}", "a fault that meets work under way"
            )
    if len(evidence.broken) < len(evidence.plan.faults):
        return NotShown("not all faults came", "a run to its end")
    return None


def calls_of(evidence: Evidence) -> int:
    """How often clients got what only the component could give them, at least.

    Every redirect asks the router, every one that the servers' own memory does not hold asks the cache, and every
    code that was not chosen was made by the strategy in force."""
    entries = evidence.ledger.entries
    name = evidence.plan.slot.rpartition("/")[2]
    if name in CODES:
        links = evidence.ledger.links
        return sum(
            entry.op == "shorten" and entry.status in (201, 500) and not links[entry.link].planned.alias
            for entry in entries
        )
    return sum(entry.op == "follow" and entry.status in (301, 302, 404, 410, 500) for entry in entries)


def missed(evidence: Evidence, broken: Broken) -> str | None:
    """How the fault came to nothing; None if it did not."""
    fault, entries = broken.fault, evidence.ledger.entries
    if broken.failed:
        return broken.failed
    if fault.kind == "reshard":
        moved = int((broken.told or {}).get("moved", 0))
        there = sum(link.made < broken.began for link in evidence.ledger.links)
        return f"only {moved} links moved" if moved < ENOUGH and there >= 12 else None
    if fault.kind == "kill" and fault.target.startswith("app"):
        before = sum(entry.server == fault.target and entry.answered < broken.began for entry in entries)
        return f"it had answered only {before} requests before" if before < ENOUGH else None
    seconds = 0.0 if fault.lasts else 1.0  # what is done in an instant meets who comes next
    met = sum(
        entry.op in fault.meets and entry.sent <= broken.ended + seconds and broken.began <= entry.answered
        for entry in entries
    )
    return f"it met only {met} requests" if met < ENOUGH else None
