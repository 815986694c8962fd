"""Makes questions out of traces. Right and wrong choices alike come from what was recorded.

Each maker is given the traces and a source of randomness of its own, and makes one question, or none if the traces do
not give one: nobody is asked for a difference that is within the noise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from workbench.tracing.spans import Kind, Span, Trace


@dataclass(frozen=True, slots=True)
class Question:
    """`right`: the place of the right one among `choices`. `evidence`: the lines of the trace that decide it."""

    text: str
    choices: tuple[str, ...]
    right: int
    evidence: str


Numbered = tuple[int, Trace]
Maker = Callable[[Sequence[Numbered], random.Random], Question | None]

CLEAR = 1.5
"""So many times the second largest difference must the largest be, to be called what made the difference."""
LEAST_MS, LEAST_SHARE = 1.0, 0.25
"""A request must have taken so many ms, and such a share of its time, longer than another to be asked about."""

SPENT: dict[Kind, str] = {
    "cache": "waiting for the cache",
    "store": "waiting for the store (a shard)",
    "server": "the server's own work",
    "balancer": "the balancer, and the way there and back",
}


def which_server(traces: Sequence[Numbered], rng: random.Random) -> Question | None:
    found = [(n, t) for n, t in traces if t.server and len(t.servers) > 1]
    if not found:
        return None
    number, trace = rng.choice(found)
    others = rng.sample(
        [name for name in trace.servers if name != trace.server], min(3, len(trace.servers) - 1)
    )
    choices = sorted([trace.server, *others]) + (["the balancer itself"] if len(others) < 2 else [])
    hop = next(span for span in trace.spans if span.target == trace.server)
    return Question(
        f"Which server answered request {number}?",
        tuple(choices),
        choices.index(trace.server),
        _line(hop),
    )


def was_the_store_asked(traces: Sequence[Numbered], rng: random.Random) -> Question | None:
    found = [(n, t) for n, t in traces if t.how in ("miss", "hit", "memory") and len(t.shards) <= 1]
    if not found:
        return None
    number, trace = rng.choice(found)
    known = list(trace.shards_known) or ["shard-1", "shard-2"]
    asked = trace.shards or [rng.choice(known)]
    other = [name for name in known if name not in asked]
    yes = [f"yes: {asked[0]}", *([f"yes: {rng.choice(other)}"] if other else [])]
    no = {"hit": "no: the cache had the answer", "memory": "no: the server had it in its own memory"}
    right = yes[0] if trace.how == "miss" else no[trace.how]
    return _shuffled(
        f"Was the store asked for request {number}?", [*yes, *no.values()], right, _calls(number, trace), rng
    )


def how_many_round_trips(traces: Sequence[Numbered], rng: random.Random) -> Question | None:
    most = max((t.round_trips for _, t in traces), default=0)
    if not most:
        return None
    number, trace = next((n, t) for n, t in traces if t.round_trips == most)
    near = [*(t.round_trips for _, t in traces), most + trace.later, most - 1, most + 1, most + 2, most + 3]
    wrong = list(dict.fromkeys(count for count in near if count != most and count >= 0))[:3]
    choices = [str(count) for count in sorted([most, *wrong])]
    miss = " the miss," if trace.how == "miss" else ""
    return Question(
        f"How many round trips to services did request {number},{miss} have to wait for?",
        tuple(choices),
        choices.index(str(most)),
        _calls(number, trace),
    )


def what_made_the_difference(traces: Sequence[Numbered], rng: random.Random) -> Question | None:
    """Between the two redirects that differ most, if one kind of step clearly made the difference."""
    redirects = [(n, t) for n, t in traces if t.how in ("miss", "hit", "memory") and t.method == "GET"]
    pairs = [(slow, fast) for slow in redirects for fast in redirects if _slower(slow[1], fast[1])]
    if not pairs:
        return None
    (slow_n, slow), (fast_n, fast) = max(pairs, key=lambda pair: pair[0][1].ms - pair[1][1].ms)
    before, after = fast.spent(), slow.spent()
    more = {kind: after.get(kind, 0.0) - before.get(kind, 0.0) for kind in SPENT}
    first, second, *_ = sorted(more, key=lambda kind: -more[kind])
    if more[first] <= 0 or more[first] < CLEAR * more[second]:
        return None
    figures = "; ".join(
        f"{SPENT[kind]} {before.get(kind, 0.0):.1f} and {after.get(kind, 0.0):.1f} ms" for kind in SPENT
    )
    return _shuffled(
        f"Request {fast_n} took {fast.ms:.1f} ms and request {slow_n} took {slow.ms:.1f} ms: what made the most of the "
        "difference?",
        list(SPENT.values()),
        SPENT[first],
        f"Of requests {fast_n} and {slow_n}: {figures}.",
        rng,
    )


def when_was_it_counted(traces: Sequence[Numbered], rng: random.Random) -> Question | None:
    found = [(n, t) for n, t in traces if t.method == "GET" and (t.counted is not None or t.status == 404)]
    if not found:
        return None
    counted = [each for each in found if each[1].counted is not None]
    number, trace = rng.choice(counted or found)
    before = "before the client had its answer"
    later = "after the client had its answer"
    never = "not at all: it is no click"
    if trace.counted is None:
        right, why = never, f"Request {number} was answered with 404: nothing went to the log."
    else:
        right = later if trace.counted > trace.ms else before
        logged = f"in the log after {trace.logged:.0f} ms and " if trace.logged is not None else ""
        answered = f"The client had its answer after {trace.ms:.1f} ms."
        why = f"{answered} The click was {logged}counted after {trace.counted:.0f} ms."
    return _shuffled(
        f"When was the click of request {number} counted?", [before, later, never], right, why, rng
    )


def where_was_it_written(traces: Sequence[Numbered], rng: random.Random) -> Question | None:
    found = [(n, t) for n, t in traces if t.method == "POST" and t.status == 201 and len(t.shards) == 1]
    if not found:
        return None
    number, trace = rng.choice(found)
    right = trace.shards[0]
    others = [name for name in trace.shards_known if name != right]
    choices = [right, *rng.sample(others, min(2, len(others))), "the cache", "the log"][:4]
    written = [span for span in trace.calls if span.target == right and span.what.startswith("INSERT")]
    return _shuffled(
        f"Where was the link that request {number} made written to?",
        choices,
        right,
        " ".join(_line(span) for span in written[-1:]) or _calls(number, trace),
        rng,
    )


def what_of_the_next_one(traces: Sequence[Numbered], rng: random.Random) -> Question | None:
    """Negative caching, found in the trace of a 404."""
    found = [(n, t) for n, t in traces if t.status == 404 and t.how == "miss"]
    if not found:
        return None
    number, trace = rng.choice(found)
    fill = next((span for span in trace.calls if span.kind == "cache" and span.said == "the fill"), None)
    noted = "it is cheaper: the cache remembers now that there is no such link"
    same = "it asks the store again: nothing was remembered"
    choices = [noted, same, "it is answered by the balancer", "the store has an empty link for it now"]
    return _shuffled(
        f"Request {number} was for a code that does not exist. What about the next request for it?",
        choices,
        noted if fill is not None else same,
        _line(fill)
        if fill is not None
        else f"After the store was asked, nothing was written. {_calls(number, trace)}",
        rng,
    )


MAKERS: tuple[Maker, ...] = (
    which_server,
    was_the_store_asked,
    how_many_round_trips,
    what_made_the_difference,
    when_was_it_counted,
    what_of_the_next_one,
    where_was_it_written,
)


def made(traces: Iterable[Trace], seed: int, most: int) -> list[Question]:
    """At most so many questions. The same traces and seed give the same."""
    numbered = list(enumerate(traces, 1))
    found = (maker(numbered, random.Random(f"{seed} {maker.__name__}")) for maker in MAKERS)
    return [question for question in found if question is not None][:most]


# --- parts of questions


def _slower(slow: Trace, fast: Trace) -> bool:
    return slow.ms - fast.ms >= max(LEAST_MS, LEAST_SHARE * slow.ms)


def _shuffled(text: str, choices: list[str], right: str, evidence: str, rng: random.Random) -> Question:
    mixed = rng.sample(choices, len(choices))
    return Question(text, tuple(mixed), mixed.index(right), evidence)


def _line(span: Span) -> str:
    took = f", {span.ms:.1f} ms" if span.ms is not None else ""
    return f"Step {span.number}, {span.where}: {span.text}{took}."


def _calls(number: int, trace: Trace) -> str:
    if not trace.calls:
        memory = f": {trace.server} answered from its own memory" if trace.how == "memory" else ""
        return f"Request {number} called no service{memory}."
    calls = "; ".join(f"{i}. {span.target}: {span.text}" for i, span in enumerate(trace.calls, 1))
    return f"What request {number} waited for: {calls}."
