"""Links: none lost, none that leads elsewhere, no code with two owners, none that lives longer than it may."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.capstone.ledger import AWAY, Entry, MadeLink
from workbench.capstone.outcome import Failed, Kept, NotShown, Outcome, others
from workbench.capstone.plan import BOUND
from workbench.capstone.run import Evidence
from workbench.capstone.wording import answer, request

MARGIN = 0.1
"""Seconds beyond a bound before anybody is accused: clocks of processes on one machine are not finer to us."""
ENOUGH = 3
REDIRECTS = (301, 302)


def links(evidence: Evidence) -> Outcome:
    ledger = evidence.ledger
    owners = ledger.owners()
    single = [found[0] for found in owners.values() if len(found) == 1]
    wrong = [
        (entry, link)
        for link in single
        for entry in ledger.of_code(link.code)
        if lost_or_astray(evidence, entry, link)
    ]
    invented = [
        entry
        for entry in ledger.entries
        if entry.op == "guess" and entry.status in REDIRECTS and nobody_has(evidence, entry)
    ]
    if wrong:
        wrong.sort(key=lambda pair: pair[0].sent)
        # A redirect to another page says more than a link that is not found.
        entry, link = next((pair for pair in wrong if pair[0].status in REDIRECTS), wrong[0])
        more = len({link.code for _, link in wrong}) - 1
        made = f"{link.creator} was told at {link.made:.2f} s that this is the link to {link.planned.url}"
        return Failed(
            f"{request(entry)} leads there: {made}",
            f"{answer(entry)} at {entry.answered:.2f} s",
            (link.code,),
            entry.sent,
            others(more, "link"),
        )
    if invented:
        entry = invented[0]
        return Failed(
            "404: nobody was given this code", f"{request(entry)}: {answer(entry)}", (entry.code,), entry.sent
        )
    looked = sum(entry.op == "look" for entry in ledger.entries)
    if looked < 10 * ENOUGH:
        return NotShown(f"only {looked} links were made, and asked for at the end", "30 links at least")
    return Kept()


def lost_or_astray(evidence: Evidence, entry: Entry, link: MadeLink) -> bool:
    """Whether this answer breaks the promise that the link was."""
    if entry.op not in ("follow", "look", "stats", "delete") or entry.sent < link.made:
        return False
    if entry.status in REDIRECTS:
        return entry.location != link.planned.url
    if entry.status == 410:
        return entry.answered < link.ends - MARGIN
    if entry.status in (403, 404):
        may_be_gone = entry.answered >= link.to_delete
        if entry.op == "delete":
            # The second attempt of a deletion finds nothing more, and somebody was first.
            may_be_gone = entry.sent > link.to_delete + MARGIN or link.deleted < entry.answered
        if entry.op in ("follow", "look") and entry.answered >= link.ends - MARGIN:
            return False  # `gone` looks at that
        return not may_be_gone and not may_be_unknown(evidence, entry, link)
    return False


def may_be_unknown(evidence: Evidence, entry: Entry, link: MadeLink) -> bool:
    """Somebody asked for the code before there was a link: "no such link" may be remembered for a while."""
    if not link.planned.asked_early:
        return False
    if entry.sent < link.made + BOUND + MARGIN:
        return True
    # Made while the cache was away, or a server died over it: nobody could be told.
    return any(
        each.spoils(link.asked, link.made)
        for each in evidence.broken
        if each.fault.kind == "kill" or each.fault.target.endswith("cache")
    )


def nobody_has(evidence: Evidence, entry: Entry) -> bool:
    """No link that was made, or may have been made, has the code of this guess."""
    return not any(
        link.code == entry.code or link.planned.alias == entry.code for link in evidence.ledger.links
    )


def owners(evidence: Evidence) -> Outcome:
    ledger = evidence.ledger
    twice = {code: found for code, found in ledger.owners().items() if len(found) > 1}
    if twice:
        code, found = min(twice.items(), key=lambda pair: pair[1][1].made)
        first, second = sorted(found, key=lambda link: link.made)[:2]
        chosen = "chose the alias" if first.planned.alias else "got the code"
        return Failed(
            f"{first.creator} {chosen} {code} for {first.planned.url} (201 at {first.made:.2f} s): theirs alone",
            f"{second.creator} got {code} too, for {second.planned.url} (201 at {second.made:.2f} s)",
            (code,),
            second.asked,
            others(len(twice) - 1, "code"),
        )
    contests = rivals_answered(evidence)
    if contests < ENOUGH:
        return NotShown(
            f"of only {contests} aliases both who wanted it got an answer", f"{ENOUGH} such aliases at least"
        )
    return Kept()


def rivals_answered(evidence: Evidence) -> int:
    """Aliases that two clients wanted, and got an answer about."""
    answered: dict[str, set[int]] = {}
    for entry in evidence.ledger.entries:
        if entry.op == "shorten" and entry.status in (201, 409):
            planned = evidence.ledger.links[entry.link].planned
            if planned.rival:
                answered.setdefault(planned.alias, set()).add(entry.link)
    return sum(len(links) > 1 for links in answered.values())


def gone(evidence: Evidence) -> Outcome:
    late: list[tuple[Entry, MadeLink, str]] = []
    asked_after_deletion, asked_after_end = set(), set()
    missing = {
        link.code
        for link, entry in followed(evidence)
        if entry.status == 404 and lost_or_astray(evidence, entry, link)
    }
    for link, entry in followed(evidence):
        if entry.sent > link.deleted + BOUND + MARGIN and entry.status not in AWAY:
            asked_after_deletion.add(link.code)
            if entry.status != 404:
                since = entry.sent - link.deleted
                if entry.status not in (*REDIRECTS, 410):
                    continue  # an error is not a redirect
                late.append((entry, link, f"404: its deletion was acknowledged {since:.1f} s before"))
        elif entry.sent > link.ends + MARGIN and entry.status not in AWAY:
            asked_after_end.add(link.code)
            if entry.status != 410:
                since = entry.sent - link.ends
                if entry.status not in REDIRECTS and (entry.status != 404 or link.code in missing):
                    continue  # `errors` looks at that, and `links` at what was lost before its end
                late.append((entry, link, f"410: its life had ended {since:.1f} s before"))
    if late:
        late.sort(key=lambda each: each[0].sent)
        entry, link, expected = late[0]
        more = len({link.code for _, link, _ in late}) - 1
        return Failed(
            expected, f"{request(entry)}: {answer(entry)}", (link.code,), entry.sent, others(more, "link")
        )
    if len(asked_after_deletion) < ENOUGH or not asked_after_end:
        return NotShown(
            f"{len(asked_after_deletion)} deleted links, {len(asked_after_end)} expired ones were followed afterwards",
            f"{ENOUGH} deletions that were acknowledged, and a link that expired",
        )
    return Kept()


def followed(evidence: Evidence) -> Iterator[tuple[MadeLink, Entry]]:
    owners = evidence.ledger.owners()
    for entry in evidence.ledger.entries:
        if entry.op in ("follow", "look") and len(found := owners.get(entry.code, [])) == 1:
            yield found[0], entry
