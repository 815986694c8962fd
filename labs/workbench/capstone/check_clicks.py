"""Clicks: what clients were answered, against what the service says that it counted."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from workbench.capstone.ledger import Entry, MadeLink
from workbench.capstone.outcome import Failed, Kept, NotShown, Outcome, others
from workbench.capstone.plan import AGENTS, CLIENTS
from workbench.capstone.run import Evidence
from workbench.capstone.scene import CLICK_BUFFER

ENOUGH = 50
SLOW = 1.5
"""Seconds after which the balancer may have asked another server too: then one request may be two clicks."""
REFERRERS = {client: f"{client}.example" for client in CLIENTS}
CLOCKS = 0.2
"""Seconds that an instant of ours and one of the service's may differ."""


@dataclass(slots=True)
class Clicked:
    """What clients did to one link. `answered`: redirects they got. `doubtful`: requests that may count once more, or
    although no answer came."""

    link: MadeLink
    answered: int = 0
    sent: int = 0
    doubtful: int = 0
    entries: list[Entry] = field(default_factory=list)

    @property
    def most(self) -> int:
        return self.sent + self.doubtful


def by_link(evidence: Evidence) -> Iterator[Clicked]:
    """Of every link that lives, has one owner, and whose statistics could be read."""
    kills = [each for each in evidence.broken if each.fault.kind == "kill"]
    for code, owners in evidence.ledger.owners().items():
        if len(owners) > 1 or code not in evidence.statistics:
            continue
        found = Clicked(owners[0])
        for entry in evidence.ledger.of_code(code):
            if entry.op not in ("follow", "guess"):
                continue
            found.entries.append(entry)
            found.answered += entry.status in (301, 302)
            # A link that was not found, or not any more, was not clicked; an answer that never came may be a click.
            found.sent += entry.status in (0, 301, 302, 502, 503, 504)
            found.doubtful += entry.took > SLOW or any(
                each.spoils(entry.sent, entry.answered)
                for each in kills
                if each.fault.target.startswith("app")
            )
        yield found


def clicks(evidence: Evidence) -> Outcome:
    found = list(by_link(evidence))
    too_many = [each for each in found if counted(evidence, each) > each.most]
    if too_many:
        one = max(too_many, key=lambda each: counted(evidence, each) - each.most)
        return Failed(
            f"{one.answered} clicks on {one.link.code}: so many redirects were answered"
            + (
                f" ({one.most} at the very most, with all that may have been answered)"
                if one.most > one.answered
                else ""
            ),
            f"{counted(evidence, one)} clicks counted",
            (one.link.code,),
            also=others(len(too_many) - 1, "link"),
        )
    answered = sum(each.answered for each in found)
    lost = sum(max(0, each.answered - counted(evidence, each)) for each in found)
    killed = sum(
        each.fault.kind == "kill" and each.fault.target.startswith("app") for each in evidence.broken
    )
    allowed = killed * CLICK_BUFFER + int(evidence.dropped)
    if lost > allowed:
        one = max(found, key=lambda each: each.answered - counted(evidence, each))
        why = (
            f"{killed} servers were killed, {CLICK_BUFFER} clicks each" if killed else "no server was killed"
        )
        return Failed(
            f"at most {allowed} of {answered} clicks are lost ({why})",
            f"{lost} are lost; of {one.link.code}, {one.answered} redirects were answered and "
            f"{counted(evidence, one)} clicks counted",
            (one.link.code,),
            also=others(sum(each.answered > counted(evidence, each) for each in found) - 1, "link"),
        )
    if answered < ENOUGH:
        return NotShown(f"only {answered} redirects were answered", f"{ENOUGH} redirects at least")
    if allowed >= answered:
        return NotShown(f"{allowed} clicks may be lost, and only {answered} there were", "more redirects")
    return Kept()


def counted(evidence: Evidence, each: Clicked) -> int:
    return int(evidence.statistics[each.link.code]["clicks"])


def statistics(evidence: Evidence) -> Outcome:
    wrong = []
    looked = 0
    for each in by_link(evidence):
        found = evidence.statistics[each.link.code]
        looked += found["clicks"] > 0
        if (why := contradiction(evidence, each, found)) is not None:
            wrong.append((each, *why))
    if wrong:
        each, expected, got = max(wrong, key=lambda one: one[0].answered)
        return Failed(expected, got, (each.link.code,), also=others(len(wrong) - 1, "link"))
    if looked < 10:
        return NotShown(f"only {looked} links had any clicks counted", "10 links with clicks at least")
    return Kept()


def contradiction(evidence: Evidence, each: Clicked, found: dict[str, Any]) -> tuple[str, str] | None:
    """(expected, got), or None if everything agrees."""
    code, total, windows = each.link.code, int(found["clicks"]), found["windows"]
    if found["long_url"] != each.link.planned.url:
        return f"statistics of {each.link.planned.url}", f"statistics of {found['long_url']}"
    for width in ("minutes", "hours", "days"):
        added = sum(count for _, count in windows[width])
        if added != total:
            return f"the {width} of {code} add up to its {total} clicks", f"they add up to {added}"
    for dimension in ("referrers", "agents"):
        added = sum(windows[dimension].values())
        if added != total:
            shown = (
                ", ".join(f"{name or 'none'}: {count}" for name, count in windows[dimension].items())
                or "nothing"
            )
            return (
                f"the {dimension} of {code} add up to its {total} clicks",
                f"they add up to {added} ({shown})",
            )
    for dimension, name_of in (
        ("referrers", REFERRERS),
        ("agents", {name: agent for name, (agent, _) in AGENTS.items()}),
    ):
        most = Counter(name_of[entry.client] for entry in requests(each.entries))
        slack = each.doubtful + max(0, total - each.most)  # `clicks` looks at those
        for name, count in windows[dimension].items():
            if count > most[name] + (slack if most[name] else 0):
                return (
                    f"at most {most[name]} clicks on {code} by {name!r}, one for each request from there",
                    f"{count}",
                )
    return in_another_minute(evidence, each, windows["minutes"], total)


def requests(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry.status in (0, 301, 302, 502, 503, 504))


def in_another_minute(
    evidence: Evidence, each: Clicked, minutes: list[tuple[str, int]], total: int
) -> tuple[str, str] | None:
    for start, count in minutes:
        if not count:
            continue
        begin = datetime.datetime.fromisoformat(start).timestamp() - evidence.began
        possible = sum(
            entry.sent - CLOCKS < begin + 60 and begin < entry.answered + CLOCKS
            for entry in requests(each.entries)
        )
        if count > possible + each.doubtful + max(0, total - each.most):
            return (
                f"at most {possible} clicks on {each.link.code} in the minute from {start[11:16]} on",
                f"{count}",
            )
    return None
