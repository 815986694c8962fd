"""Puts what happened into words: the five parts, the counterexample, the timeline."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from grading.judge.history import History
from grading.judge.plan import Op, Plan
from grading.judge.report import Counterexample, Finding, Moment, RequirementVerdict
from grading.judge.requirement import NotShown
from grading.judge.wording import cut, describe_fault, server_name, show_call, show_each
from grading.judge.world import EPOCH

if TYPE_CHECKING:
    from grading.judge.protocol import HostLost, NotLoadable
    from grading.judge.requirement import Broken, Requirement, Scenario, Suite

TIMELINE = 25
MANY_MOMENTS = 250
"""Of so many, a few lines say as little as many do."""
FEW_OPERATIONS = 20
"""All of so many are shown; of more only the first and the last, for no single one of them tells much."""
WRITES = re.compile(
    r"to the \w+: .*\b(SET|SETEX|PSETEX|HSET|HSETEX|MSET|EVAL|EVALSHA|EXPIRE|PEXPIRE)\b", re.IGNORECASE
)

COMMON_LEAST, COMMON_SHARE = 3, 2 / 3
"""So many requirements, and this share of those judged, must fail by one mistake for it to be told once."""

NEVER = {
    "blocked": "a component that waits lets others run: `await clock.sleep(…)`, never `time.sleep`",
    "refused": "a component uses what it is given; it starts no processes, threads or connections of its own",
    "busy": "a component that waits awaits something that takes time",
    "unmade": "the constructor takes what it is given, connects to nothing and raises nothing",
    "budget": "the work comes to an end",
}

CRASHED_WHY = (
    "In the running system this takes the whole server down, with every request that it had in hand. So it counts "
    "against every requirement."
)


def broken(
    suite: Suite, requirement: Requirement, scenario: Scenario, plan: Plan, history: History, outcome: Broken
) -> Finding:
    return Finding(
        did=scenario.story,
        expected=outcome.expected,
        got=outcome.got,
        why=outcome.why or scenario.why or requirement.why,
        read_next=outcome.read_next or scenario.read_next or requirement.read_next,
        counterexample=counterexample(plan, suite.schema.get("names", {}).get("redis", "cache")),
        timeline=outcome.timeline
        or timeline(history, writes=outcome.writes, about=f"{outcome.expected} {outcome.got}"),
        kind=outcome.cause or outcome.kind,
    )


def with_unawaited(outcome: Broken | NotShown, history: History) -> Broken | NotShown:
    """What was found wrong; and, where the component called something async without awaiting it, that this is so."""
    if not history.unawaited:
        return outcome
    line = history.unawaited[0]
    also = f". And line {line} of yours calls what is async without `await`, so nothing comes of that call"
    if isinstance(outcome, NotShown):
        return replace(outcome, because=outcome.because + also)
    return replace(outcome, got=outcome.got + also)


def one_mistake(
    suite: Suite, causes: dict[str, str], done: list[RequirementVerdict]
) -> tuple[str | None, list[RequirementVerdict]]:
    """Whether one and the same exception fails most of the requirements: then it is told once, for all of them.

    The line for the top (None: no such mistake), and the verdicts; the points stay as they are.
    """
    named = Counter(cause for cause in causes.values() if cause)
    if not named:
        return None, done
    ((cause, count),) = named.most_common(1)
    if count < max(COMMON_LEAST, COMMON_SHARE * len(done)):
        return None, done
    first = next(each.finding for each in done if causes.get(each.id) == cause)
    assert first is not None
    keywords = ", ".join(suite.schema["construct"])
    if "in its constructor" in cause:
        read_next = (
            f"Your __init__: it is called with exactly the keywords {keywords}, and connects to nothing."
        )
    elif "does not return" in cause:
        read_next = (
            "The return types in the slot's contract; every path through the method must end in such a value."
        )
    else:
        read_next = "The line named above and the timeline: the last thing that the component did before it."
    common = replace(
        first,
        why=f"This comes first: {count} of {len(done)} requirements fail by it alone, and it hides what else they "
        "would have shown.",
        read_next=read_next,
        kind=cause,
    )
    told = [replace(each, finding=common) if causes.get(each.id) == cause else each for each in done]
    return f"one mistake fails {count} of {len(done)} requirements: {cause}", told


def not_shown(requirement: Requirement, scenario: Scenario | None, outcome: NotShown) -> Finding:
    return Finding(
        did=scenario.story if scenario is not None else "Nothing was run.",
        expected=outcome.needed,
        got=outcome.because,
        why=requirement.why,
        read_next=requirement.read_next,
        kind="not shown",
    )


def not_loadable(error: NotLoadable) -> tuple[str, Finding]:
    what = error.error
    at = f" on line {what['line']}" if what["line"] is not None else ""
    crashed = f"the component could not be loaded: {what['type']}{at}: {what['message']}"
    finding = Finding(
        did="The component's text was executed as a module, and its class looked up.",
        expected="a module that executes, and defines the class of the slot",
        got=f"{what['type']}{at}: {what['message']}",
        why="What cannot be loaded cannot be swapped into a server.",
        read_next="The cell that begins with %%component: run it in the notebook and read the error there.",
        kind=f"not loadable: {what['type']}",
    )
    return crashed, finding


def lost(error: HostLost) -> tuple[str, Finding]:
    at = f" (line {error.line})" if error.line is not None else ""
    crashed = f"{error.reason}{at}"
    story = error.story or "The component was loaded and put to work."
    finding = Finding(
        did=f"{story} {called(error.history, error.plan)}".rstrip() if error.history is not None else story,
        expected="the component's process goes on serving",
        got=crashed,
        why=CRASHED_WHY,
        read_next="The line named above: does its loop end, whatever it is given? For what waits, "
        "https://docs.python.org/3/library/asyncio-dev.html",
        timeline=timeline(error.history) if error.history is not None else (),
        kind=error.reason,
    )
    return crashed, finding


def called(history: History, plan: Plan | None = None) -> str:
    """The call in hand when the process was lost: the run is not reduced, so its operations would say little."""
    calls = list(history.calls.values())
    if not calls:
        return ""
    last = calls[-1]
    op = next((op for op in plan.ops if op.name == last.name), None) if plan is not None else None
    what = show_call(op) if op is not None else f"{last.method}({cut(', '.join(map(repr, last.args)), 160)})"
    if op is not None and op.do == "each":
        what = f"to {what},"
    what += f" on {server_name(last.server)}"
    return (
        f"The last of {len(calls)} calls so far was {what}."
        if len(calls) > 1
        else f"The first call was {what}."
    )


def judge_failed(error: Exception) -> tuple[str, Finding]:
    at = traceback.extract_tb(error.__traceback__)[-1]
    crashed = (
        f"the judge itself failed: {type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno})"
    )
    finding = Finding(
        did="The component was loaded and put to work.",
        expected="a verdict",
        got=crashed,
        why="This is a mistake in the judge, perhaps one that the component provoked; no points can be given.",
        read_next="Tell whoever keeps the workbench, with the component's text.",
    )
    return crashed, finding


def counterexample(plan: Plan, redis: str = "cache") -> Counterexample:
    """`redis`: what the slot calls its Redis."""
    shown = plan.ops if len(plan.ops) <= FEW_OPERATIONS else (*plan.ops[:4], *plan.ops[-3:])
    operations = [describe_op(plan, op) for op in shown]
    if len(plan.ops) > len(shown):
        operations.insert(4, f"… {len(plan.ops) - len(shown)} more")
    stored = [f"the store holds {row['code']}, which {expiry(row['expires_at'])}" for row in plan.rows[:6]]
    if len(plan.rows) > 6:
        stored.append(f"… and {len(plan.rows) - 6} more links")
    faults = [
        f"from {f.start:g} s to {f.end:g} s {describe_fault(f, redis, plan.names)}" for f in plan.faults
    ]
    given = [
        f"{k} is {v:g} s" if k == "ttl" else f"{k} is {v!r}" for k, v in plan.values.items() if k[0] != "_"
    ]
    asked = {op.server for op in plan.ops}
    given += [
        f"{k} of {plan.called(server)} is {v!r}"
        for server, own in enumerate(plan.own)
        for k, v in own.items()
        if k[0] != "_" and server in asked
    ]
    timeless = all(op.do == "each" for op in plan.ops)
    zero = "; ".join([*([] if timeless else [f"0 s is POSIX time {EPOCH:.0f}"]), *given])
    return Counterexample(plan.seed, (*([zero] if zero else []), *stored, *operations), tuple(faults))


def expiry(at: float) -> str:
    if at < 0:
        return f"expired {-at:g} s before the start"
    return f"expires at {at:g} s" if at < 100_000 else "lives for long"


def describe_op(plan: Plan, op: Op) -> str:
    when = f"{op.at:g} s after {op.after}" if op.after else f"at {op.at:g} s"
    server = plan.called(op.server)
    if op.do == "put":
        return f"{when}: the link {op.args[0]['code']} is created in the store"
    if op.do == "each":
        return show_each(op) if plan.servers == 1 else f"{show_each(op)}, on {server}"
    if op.do == "call":
        what = op.text or f"{op.method}({cut(', '.join(map(repr, op.args)), 300)})"
        return f"{when}: {op.name}: {what} on {server}"
    if op.text:
        return f"{when}: {op.text}"
    what = {
        "cancel": f"{op.target} is cancelled",
        "delete": f"the row {', '.join(map(repr, op.args))} is deleted from the store",
        "event": op.name,
        "crash": f"{server} is killed and started again",
        "clock": f"the clock of {server} is set {clock_step(op)}",
        "redis": f"the judge has the Redis do {cut(' '.join(map(str, op.args)), 60)}",
        "flush": "the cache is flushed",
        "inspect": "the judge looks at the cache's keys",
        "weigh": "the judge weighs the component's memory",
    }[op.do]
    return f"{when}: {what}"


def clock_step(op: Op) -> str:
    by = op.args[0] if op.do == "clock" else 0.0
    return f"{'forward' if by >= 0 else 'back'} by {abs(by):g} s"


def timeline(history: History, *, writes: bool = False, about: str = "") -> tuple[Moment, ...]:
    """At most `TIMELINE` lines, or half of them of very many: the beginning, what the calls did that the text `about`
    names, and the end. `writes`: what was written instead."""
    moments = history.moments
    if len(moments) <= TIMELINE:
        return tuple(moments)
    looked = min((history.op_times[name] for name in history.inspections), default=0.0)
    written = [each for each in moments if each.t <= looked and WRITES.match(each.what)]
    if writes and written:
        shown = written[1 - TIMELINE :]
        others = f"{len(moments) - len(shown)} more; these are the last writes before the judge looked"
        return (Moment(moments[0].t, "…", others), *shown)
    size = TIMELINE if len(moments) <= MANY_MOMENTS else TIMELINE // 2
    first = size // 3
    last = size - first - 1
    named = _of_the_named(history, about)
    if not named:
        return _with_gaps(moments, [*range(first), *range(len(moments) - last, len(moments))])
    return _with_gaps(moments, _round(named, moments, TIMELINE))


def _of_the_named(history: History, about: str) -> list[int]:
    """The moments at which a call that the text names begins, ends or is cancelled."""
    names = [name for name in history.calls if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", about)]
    starts = tuple(f"{name}{after}" for name in names for after in (": ", " "))
    return [
        index
        for index, moment in enumerate(history.moments)
        if starts and moment.who == "client" and moment.what.startswith(starts)
    ]


def _round(named: list[int], moments: list[Moment], size: int) -> list[int]:
    """Up to `size` indices, with the gaps between them counted: the named ones and the first; then what servers did
    just before and after, as others' calls tell less; then whatever is near."""
    count = len(moments)
    shown = {0, *named[: size // 3], *named[-(size // 3) :]}
    near = sorted(set(range(count)) - shown, key=lambda index: min(abs(index - each) for each in named))
    done = [index for index in near if moments[index].who != "client"]
    for index in (*done[: size // 3], *near):
        if len(shown | {index}) + _gaps(shown | {index}, count) > size:
            continue
        shown.add(index)
    return sorted(shown)


def _gaps(shown: set[int], count: int) -> int:
    return sum(index + 1 not in shown for index in shown if index + 1 < count)


def _with_gaps(moments: list[Moment], shown: list[int]) -> tuple[Moment, ...]:
    """Those moments; where some are left out, how many."""
    found: list[Moment] = []
    expected = 0
    for index in [*shown, len(moments)]:
        if index > expected:
            found.append(Moment(moments[expected].t, "…", f"{index - expected} more"))
        if index < len(moments):
            found.append(moments[index])
        expected = index + 1
    return tuple(found)
