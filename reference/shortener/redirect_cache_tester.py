"""Reference filling of `url-shortener/redirect-cache-tester`: one function for each sentence of the contract.

The heart is `right_answers`: not the one answer that a call should have got, but all that it may have got. A call takes
time, and a cache may be behind; a tester that expects one answer accuses right components. The set is cut from two
sides: what became true after the call had ended, and what had ended by the last change that the call had to know of.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from reference.shortener.components import (
    DELETION_BOUND,
    NEGATIVE_TTL_MAX,
    TOLERANCE,
    Answer,
    RecordedQuery,
    RecordedResolve,
    RedirectRecording,
)

SOON = (1.5, 3.0)
"""Seconds after an answer within which the next one costs no query."""
MARK = 15.0
"""Seconds after an invalidation within which a query is excused."""


class RedirectCacheTester:
    def problems(self, recording: RedirectRecording) -> list[str]:
        return [
            *wrong_answers(recording),
            *wrong_ends(recording),
            *shared_queries(recording),
            *saved_queries(recording),
            *lives_in_the_cache(recording),
            *old_answers(recording),
        ]


def resolves(recording: RedirectRecording) -> list[RecordedResolve]:
    return [call for call in recording.calls if call.method == "resolve"]


def end(call: RecordedResolve) -> float:
    return inf if call.ended is None else call.ended


# --- answers


def wrong_answers(recording: RedirectRecording) -> Iterator[str]:
    for call in resolves(recording):
        if call.outcome == "returned" and call.answer not in right_answers(recording, call):
            yield f"{call.name} got {call.answer}, which was not true for {call.code} when it asked"


def right_answers(recording: RedirectRecording, call: RecordedResolve) -> list[Answer]:
    """All that the call may have got."""
    since = acknowledged(recording, call)
    link = next((link for link in recording.links if link.code == call.code), None)
    if link is None:
        return [Answer("unknown")]
    gone = inf if link.deleted is None else link.deleted
    right = []
    if link.created > since or gone <= end(call):
        right.append(Answer("unknown"))
    if link.created <= end(call) and gone > since:
        if call.began < link.expires + TOLERANCE:
            right.append(Answer("live", link.long_url))
        if link.expires <= end(call) + TOLERANCE:
            right.append(Answer("expired"))
    return right


def acknowledged(recording: RedirectRecording, call: RecordedResolve) -> float:
    """The last change of the call's code that it had to know of; 0: none."""
    last = 0.0
    for changed in changes(recording, call.code):
        for told in recording.calls:
            if (
                told.method == "invalidate"
                and told.code == call.code
                and told.outcome == "returned"
                and told.began >= changed
                and end(told) + DELETION_BOUND <= call.began
            ):
                last = max(last, changed)
    return last


def changes(recording: RedirectRecording, code: str) -> list[float]:
    """When links of that code were created and deleted, while the recording went on."""
    links = [link for link in recording.links if link.code == code]
    times = [time for link in links for time in (link.created, link.deleted)]
    return sorted(time for time in times if time)


# --- errors


def wrong_ends(recording: RedirectRecording) -> Iterator[str]:
    for call in recording.calls:
        if call.outcome == "pending":
            yield f"{call.name} never ended"
        elif call.outcome == "cancelled" and call.cancelled_at is None:
            yield f"{call.name} was cancelled though its caller stayed"
        elif call.outcome == "raised" and not may_raise(recording, call):
            yield f"{call.name} raised {call.error} without need"


def may_raise(recording: RedirectRecording, call: RecordedResolve) -> bool:
    if call.method == "invalidate":
        return disturbed(recording, call.began, end(call), of=("cache",))
    failed = any(query.error for query in queries(recording, call))
    return failed and call.error in ("Unavailable", "TimedOut")


def queries(recording: RedirectRecording, call: RecordedResolve) -> list[RecordedQuery]:
    """Those of the call's server for its code that were under way while it was."""
    return [
        query
        for query in recording.queries
        if query.server == call.server
        and query.code == call.code
        and query.sent <= end(call)
        and (query.answered is None or query.answered >= call.began)
    ]


def disturbed(
    recording: RedirectRecording,
    began: float,
    ended: float,
    of: tuple[str, ...] = ("cache", "store"),
    after: float = 0.0,
) -> bool:
    """Whether something failed at that time, or up to `after` seconds before."""
    return any(
        each.of in of and each.began <= ended and began <= each.ended + after for each in recording.outages
    )


# --- queries


def shared_queries(recording: RedirectRecording) -> Iterator[str]:
    together: dict[tuple[int, str, float], list[RecordedResolve]] = {}
    for call in resolves(recording):
        together.setdefault((call.server, call.code, call.began), []).append(call)
    for (server, code, began), calls in together.items():
        ended = max(map(end, calls))
        left = any(call.cancelled_at is not None for call in calls)
        if len(calls) == 1 or left or disturbed(recording, began, ended, after=SOON[1]):
            continue
        sent = [
            query
            for query in recording.queries
            if query.server == server and query.code == code and began <= query.sent <= ended
        ]
        if len(sent) > 1:
            yield f"{len(calls)} callers asked for {code} at {began:g} s, and {len(sent)} queries were sent"


def saved_queries(recording: RedirectRecording) -> Iterator[str]:
    returned = [call for call in resolves(recording) if call.outcome == "returned"]
    for call in returned:
        if not sent_by(recording, call):
            continue
        for earlier in returned:
            if (
                earlier.code == call.code
                and SOON[0] <= call.began - end(earlier) <= SOON[1]
                and not something_happened(recording, call.code, earlier.began, end(call))
                and not disturbed(recording, earlier.began, end(call), after=SOON[1])
            ):
                yield f"{call.name} sent a query for {call.code}, which {earlier.name} had just been answered"


def sent_by(recording: RedirectRecording, call: RecordedResolve) -> bool:
    return any(call.began <= query.sent <= end(call) for query in queries(recording, call))


def something_happened(recording: RedirectRecording, code: str, began: float, ended: float) -> bool:
    """Whether the code was created, deleted or invalidated meanwhile or shortly before, or expired or is about to."""
    if any(began - TOLERANCE <= changed <= ended + TOLERANCE for changed in changes(recording, code)):
        return True
    links = [link for link in recording.links if link.code == code]
    if any(began - TOLERANCE <= link.expires <= ended + SOON[1] for link in links):
        return True
    return any(
        told.method == "invalidate"
        and told.code == code
        and told.began <= ended
        and end(told) + MARK >= began
        for told in recording.calls
    )


# --- lifetimes


def lives_in_the_cache(recording: RedirectRecording) -> Iterator[str]:
    for look in recording.looks:
        for key, left in look.lives.items():
            if left is None or left > recording.ttl + TOLERANCE:
                yield f"the key {key} lives for {'ever' if left is None else f'{left:g} s'}"


def old_answers(recording: RedirectRecording) -> Iterator[str]:
    for call in resolves(recording):
        if call.outcome != "returned" or call.answer is None:
            continue
        limit = min(NEGATIVE_TTL_MAX, recording.ttl) if call.answer.state == "unknown" else recording.ttl
        asked = [query.sent for query in recording.queries if query.code == call.code and not query.error]
        if not any(call.began - limit - TOLERANCE <= sent <= end(call) for sent in asked):
            yield f"{call.name} got {call.answer.state}, and nobody had asked the store for {limit:g} s"
