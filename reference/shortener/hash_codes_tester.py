"""Reference filling of `url-shortener/hash-codes-tester`: one function for each sentence of the contract.

Most of them look at one call and its questions. Two look at many: whether the codes come from the whole space can
only be seen in about a hundred of them, and then only with a margin that chance does not reach. Of 62 symbols, 630
draws miss more than ten less than once in 10 ** 30 recordings; one symbol has a third of one place as rarely.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from reference.shortener.components import (
    ALPHABET,
    CODE_LENGTH,
    CodesRecording,
    RecordedNewCode,
    RecordedQuestion,
)

ATTEMPTS = 8
ENOUGH = 90
"""Codes by which the space can be judged."""
MISSING = 10
SHARE = 1 / 3
LINKS = 8
ON_AVERAGE = 3

Asked = dict[str, list[RecordedQuestion]]
"""By call."""


class HashCodesTester:
    def problems(self, recording: CodesRecording) -> list[str]:
        asked: Asked = defaultdict(list)
        for question in recording.questions:
            asked[question.call].append(question)
        found: list[str] = []
        for call in recording.calls:
            found += problems_of(call, asked[call.name])
        return [*found, *small_space(recording), *not_secret(recording, asked), *walks(recording, asked)]


def problems_of(call: RecordedNewCode, asked: list[RecordedQuestion]) -> Iterator[str]:
    tried = claimed(asked)
    own = granted(asked)
    failed = any(question.error for question in asked)
    if call.outcome == "returned":
        code = call.code or ""
        if len(code) != CODE_LENGTH or set(code) - set(ALPHABET):
            yield f"{call.name} got {code!r}, which is no code"
        if code not in own:
            yield f"{call.name} got {code!r}, which no claim of its own was granted"
        if len(own) > 1:
            yield f"{call.name} owns {', '.join(own)}, and returned one"
        if len(tried) == 1 and len(asked) > 1 and not failed:
            yield f"{call.name} asked {len(asked)} questions for a code that was free"
    elif call.outcome == "raised":
        allowed = ["Unavailable", "TimedOut"] if failed else ["Unavailable"]
        if call.error not in allowed:
            yield f"{call.name} raised {call.error}"
        elif not failed and len(tried) < ATTEMPTS:
            yield f"{call.name} gave up after {len(tried)} attempts"
    elif call.outcome == "pending" or (call.outcome == "cancelled" and call.cancelled_at is None):
        yield f"{call.name} is {call.outcome}, though its caller stayed"
    if len(tried) > ATTEMPTS:
        yield f"{call.name} made {len(tried)} attempts"


def claimed(asked: list[RecordedQuestion]) -> list[str]:
    """The codes that were tried, each once, in order."""
    return list(dict.fromkeys(question.code for question in asked if question.method == "claim"))


def granted(asked: list[RecordedQuestion]) -> list[str]:
    return list(dict.fromkeys(q.code for q in asked if q.method == "claim" and q.done is True))


def small_space(recording: CodesRecording) -> Iterator[str]:
    codes = [call.code for call in recording.calls if call.code and len(call.code) == CODE_LENGTH]
    if len(codes) < ENOUGH:
        return
    missing = set(ALPHABET) - set("".join(codes))
    if len(missing) > MISSING:
        yield f"{len(missing)} symbols never come out in {len(codes)} codes"
    for place in range(CODE_LENGTH):
        ((symbol, count),) = Counter(code[place] for code in codes).most_common(1)
        if count > SHARE * len(codes):
            yield f"at place {place + 1}, {count} of {len(codes)} codes have {symbol!r}"


def not_secret(recording: CodesRecording, asked: Asked) -> Iterator[str]:
    first: dict[str, dict[int, str]] = defaultdict(dict)
    for call in recording.calls:
        for code in claimed(asked[call.name])[:1]:
            first[call.long_url].setdefault(recording.keys[call.server], code)
    for long_url, by_key in first.items():
        if len(set(by_key.values())) < len(by_key):
            yield f"{long_url} has one code under several keys"


def walks(recording: CodesRecording, asked: Asked) -> Iterator[str]:
    links: dict[str, list[RecordedNewCode]] = defaultdict(list)
    for call in recording.calls:
        links[call.long_url].append(call)
    for long_url, calls in links.items():
        if len(calls) < LINKS or overlap(calls):
            continue
        if any(question.error for call in calls for question in asked[call.name]):
            continue
        attempts = [len(claimed(asked[call.name])) for call in calls]
        if sum(attempts) > ON_AVERAGE * len(calls):
            yield f"{len(calls)} links to {long_url} needed {sum(attempts)} attempts"


def overlap(calls: list[RecordedNewCode]) -> bool:
    """Whether one of them began before the one before it had ended."""
    return any(a.ended is None or b.began < a.ended for a, b in pairwise(calls))
