"""From the evidence to the report: the same kind of report as the judge's, but time in it is real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from grading.judge.report import Finding, RequirementVerdict, Verdict
from workbench.capstone import check_clicks, check_links, check_service
from workbench.capstone.met import not_shown
from workbench.capstone.outcome import Failed, Kept, NotShown, Outcome
from workbench.capstone.requirements import Requirement, read_next, requirements
from workbench.capstone.run import Evidence
from workbench.capstone.timeline import timeline

CHECKS: dict[str, Callable[[Evidence], Outcome]] = {
    "links": check_links.links,
    "owners": check_links.owners,
    "gone": check_links.gone,
    "clicks": check_clicks.clicks,
    "statistics": check_clicks.statistics,
    "errors": check_service.errors,
    "alive": check_service.alive,
}


class CapstoneVerdict(Verdict):
    """A Verdict whose report says that its time is real."""

    __slots__ = ()

    def text(self, *, details: bool = True) -> str:
        return real(Verdict.text(self, details=details))

    def html(self) -> str:
        return real(Verdict.html(self))


def real(report: str) -> str:
    return (
        report.replace("in virtual time:", "in seconds since the load began:")
        .replace("time is virtual.", "on a running stack; time is real.")
        .replace("Verdict of the judge", "Verdict of the capstone")
    )


def verdict(evidence: Evidence, profile: str) -> CapstoneVerdict:
    texts = requirements()
    if evidence.refused:
        judged = [refused(evidence, each) for each in texts]
        crashed: str | None = f"It did not get into its place: {evidence.refused}"
    else:
        missing = not_shown(evidence)
        judged = [decided(evidence, each, missing) for each in texts]
        crashed = None
    return CapstoneVerdict(
        slot=evidence.plan.slot,
        points=sum(each.points for each in judged),
        max_points=sum(each.points for each in texts),
        isolation="none",
        seeds=(evidence.plan.seed,),
        requirements=tuple(judged),
        crashed=crashed,
        notes=() if evidence.refused else tuple(notes(evidence, profile)),
    )


def decided(evidence: Evidence, asked: Requirement, missing: NotShown | None) -> RequirementVerdict:
    outcome = CHECKS[asked.id](evidence)
    if isinstance(outcome, Kept) and missing is not None:
        outcome = missing
    match outcome:
        case Kept():
            return RequirementVerdict(asked.id, asked.title, asked.points, asked.points, "pass")
        case NotShown(because, needed):
            finding = Finding(
                story(evidence), needed, because, asked.why, "Run it again, with another --seed or longer."
            )
            return RequirementVerdict(asked.id, asked.title, 0, asked.points, "unknown", finding)
        case Failed():
            got = f"{outcome.got}. {outcome.also}".strip() if outcome.also else outcome.got
            finding = Finding(
                story(evidence),
                outcome.expected,
                got,
                asked.why,
                outcome.read_next or read_next(evidence.plan.slot),
                timeline=timeline(evidence, outcome),
            )
            return RequirementVerdict(asked.id, asked.title, 0, asked.points, "fail", finding)


def refused(evidence: Evidence, asked: Requirement) -> RequirementVerdict:
    finding = Finding(
        f"A stack was started, and the component put into the slot {evidence.plan.slot} of each server that has it.",
        "it is constructed, and takes its place",
        evidence.refused,
        "Nothing was asked of it: the servers kept the component that they had.",
        read_next(evidence.plan.slot),
    )
    return RequirementVerdict(asked.id, asked.title, 0, asked.points, "fail", finding)


def story(evidence: Evidence) -> str:
    """What was done, in one sentence or two."""
    done = Counter(entry.op for entry in evidence.ledger.entries)
    faults = "; ".join(
        f"at {each.began:.1f} s {each.fault.words()}"
        + (f" (until {each.ended:.1f} s)" if each.fault.lasts else "")
        for each in sorted(evidence.broken, key=lambda each: each.began)
    )
    return (
        f"4 clients used the service for {evidence.plan.seconds:g} s: {done['shorten']} links asked for, "
        f"{done['follow'] + done['guess']} times followed, {done['delete']} deletions. Meanwhile: {faults}."
    )


def notes(evidence: Evidence, profile: str) -> list[str]:
    """What is told and not graded."""
    outside = sorted(
        entry.took
        for entry in evidence.ledger.entries
        if entry.op == "follow"
        and entry.status in (301, 302)
        and not any(each.spoils(entry.sent, entry.answered) for each in evidence.broken)
    )
    told = [f"Profile {profile}, seed {evidence.plan.seed}, {evidence.plan.seconds:g} s of load."]
    if outside:
        half, worst = outside[len(outside) // 2], outside[int(0.99 * (len(outside) - 1))]
        told.append(
            f"Latency is told, not graded: of {len(outside)} redirects away from all faults half took less than "
            f"{1000 * half:.0f} ms, 99 % less than {1000 * worst:.0f} ms."
        )
    if evidence.stalls:
        told.append(
            f"The machine stood still {len(evidence.stalls)} times; errors at those moments were not counted."
        )
    return told
