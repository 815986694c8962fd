"""Judge a recorded history against the namespace that the judge kept. A checker never sees the component."""

from __future__ import annotations

from collections import Counter

from grading.checks.errors import told
from grading.checks.url_shortener.codes import (
    ALPHABET,
    LENGTH,
    UNAVAILABLE,
    Namespace,
    asking,
    codes,
    failed,
    first_failed,
    first_malformed,
    first_not_its_own,
    given_twice,
    lost,
    makers,
    returned,
    shown_if_met,
)
from grading.checks.workload import role_of
from grading.judge.history import History
from grading.judge.plan import Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import show

ATTEMPTS = 8
ON_AVERAGE = 3.0
RARE = 40
"""Of 300 codes, a symbol that is as likely as any other has this place so often once in a hundred million cases."""


def well_formed(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    return first_failed(plan, history) or first_malformed(plan, history) or Kept()


def own_codes(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    wrong = (
        first_failed(plan, history)
        or first_not_its_own(plan, history, namespace)
        or given_twice(plan, history)
    )
    return wrong or (Kept() if returned(history) else NotShown("no call got a code", "a code"))


def own_codes_in_a_race(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    outcome = own_codes(plan, history, namespace)
    if isinstance(outcome, Kept) and all(granted for _, _, _, granted in namespace.claims):
        return NotShown("no claim was ever refused", "a code that somebody else has already")
    return outcome


def whole_space(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    wrong = first_failed(plan, history)
    if wrong is not None:
        return wrong
    found = codes(history)
    if len(found) < 200:
        return NotShown(f"{len(found)} codes were made", "200 codes, whose symbols can be counted")
    for place in range(LENGTH):
        counts = Counter(code[place] for code in found)
        missing = [symbol for symbol in ALPHABET if symbol not in counts]
        common, most = counts.most_common(1)[0]
        where = f"place {place + 1} of {len(found)} codes"
        # About five of each symbol are expected; one is missing by chance once in 140 symbols.
        if len(missing) > 12:
            return Broken(
                "symbols that never come",
                f"at {where} nearly all 62 symbols come out",
                f"{len(missing)} of them never do: {''.join(missing)}; the codes begin with {', '.join(found[:4])}",
            )
        if most > RARE:
            return Broken(
                "a symbol too often",
                f"at {where} each symbol comes out about {len(found) / 62:.0f} times",
                f"{common!r} came {most} times; the codes begin with {', '.join(found[:4])}",
            )
    return Kept()


def secret(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    """By what is claimed first: under another key it is another code."""
    wrong = first_failed(plan, history)
    if wrong is not None:
        return wrong
    first: dict[tuple[str, int], str] = {}
    for call in makers(history):
        tried = namespace.tried(call.name)
        if tried:
            first[call.args[0], call.server] = tried[0]
    urls = {url for url, _ in first}
    both = [url for url in sorted(urls) if (url, 0) in first and (url, 1) in first]
    same = [url for url in both if first[url, 0] == first[url, 1]]
    if same:
        share = f"; so for {len(same)} of {len(both)} URLs" if len(both) > 1 else ""
        return Broken(
            "not secret",
            f"under another key {same[0]} gets another code first",
            f"both tried {first[same[0], 0]} first{share}",
        )
    return Kept() if both else NotShown("no URL was shortened under both keys", "one URL under two keys")


def cheap_links_to_one_url(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    wrong = first_failed(plan, history) or given_twice(plan, history)
    if wrong is not None:
        return wrong
    links = makers(history)
    by_url = Counter(call.args[0] for call in links)
    (url, count) = by_url.most_common(1)[0] if by_url else ("", 0)
    tried = [len(namespace.tried(call.name)) for call in links if call.args[0] == url]
    if count < 2:
        return NotShown("no URL was shortened twice", "several links to one URL")
    if sum(tried) > ON_AVERAGE * count:
        return Broken(
            "walks",
            f"{count} links to {url} cost at most {ON_AVERAGE:g} attempts each on average",
            f"they cost {sum(tried) / count:.1f} each; the last ones {', '.join(map(str, tried[-4:]))}",
        )
    return Kept()


def bounded(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    shown = False
    for call in makers(history):
        role, tried = role_of(plan, call.name), namespace.tried(call.name)
        refused = [code for code in tried if namespace.owners[code] != call.name]
        if role == "few":
            wrong = failed(plan, call)
            if wrong is not None:
                again = f"after {len(refused)} collisions {wrong.got}"
                return Broken(wrong.kind, wrong.expected, again, cause=wrong.cause)
            shown = shown or bool(refused)
        elif role == "many":
            if len(tried) > ATTEMPTS:
                return Broken(
                    "no end",
                    f"{asking(plan, call)} makes {ATTEMPTS} attempts at most",
                    f"it claimed {len(tried)} codes",
                )
            if not call.raised(UNAVAILABLE):
                got = told(call.error) if call.error else f"{call.outcome}: {show(call.value)}"
                return Broken(
                    "not Unavailable",
                    f"{asking(plan, call)} finds all codes taken and raises Unavailable",
                    f"it got {got}",
                )
    return (
        Kept()
        if shown
        else NotShown(
            "no claim was refused: `taken` was asked first, perhaps, or nothing was claimed",
            "claims of codes that somebody else has already",
        )
    )


def nothing_lost(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    return lost(plan, history, namespace) or shown_if_met(history)


def one_trip(plan: Plan, history: History, namespace: Namespace) -> Outcome:
    wrong = first_failed(plan, history)
    if wrong is not None:
        return wrong
    shown = False
    urls = Counter(call.args[0] for call in makers(history))
    for call in makers(history):
        if urls[call.args[0]] > 1 or len(namespace.tried(call.name)) != 1:
            continue
        asked = [ask.method for ask in history.asks if ask.call == call.name]
        shown = True
        if len(asked) > 1:
            return Broken(
                "more than one trip",
                f"{asking(plan, call)} for a URL that has no link yet: one claim",
                f"it asked the store {len(asked)} times: {', '.join(asked)}",
            )
    return Kept() if shown else NotShown("no first attempt succeeded", "a URL that has no link yet")
