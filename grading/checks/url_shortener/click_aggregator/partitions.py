"""The event log, its consumer and the store of counts, as the judge plays them around the component.

The consumer hands over a batch as soon as there is something to read. After a batch that was not counted (an error, a
cancellation, a crash) the instance is dropped, and a new one is given what the log tells from the committed offset
on, however much that is by now. So the log tells some events again, as the real one does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from grading.checks.url_shortener.click_aggregator.buckets import (
    Bucket,
    Click,
    describe,
    few,
)
from grading.judge.history import Ask, Call
from grading.judge.model import Refused
from grading.judge.plan import Op, Plan
from grading.judge.wording import how_many
from grading.judge.world import EPOCH

FIRST = "0-0"
"""The offset before the first event."""
RETRY = 0.2
"""Seconds after a failure before the partition is read again. What was on its way has arrived by then."""
ATTEMPTS = 5
"""So many batches in a row may fail; then the consumer is taken to be stuck."""
BATCH = 1_000
"""Events handed over at once at most, if the plan does not say another number."""
OTHER = "other"
"""In place of a click: an event of another kind, which is nobody's business here and not handed over."""


@dataclass(slots=True)
class Entry:
    """One event of the log, with the POSIX time at which it was told. `click` None: it cannot be read."""

    offset: str
    click: Click | None
    told: float
    other: bool = False


@dataclass(slots=True)
class Batch:
    """One call of `count`: entries `start` to `end` of its partition."""

    partition: int
    start: int
    end: int
    offset: str
    new: int
    """How many clicks of it had not been committed when it began."""


@dataclass(slots=True)
class Commit:
    """One that the store has done."""

    t: float
    partition: int
    ids: list[str]
    growth: list[tuple[Bucket, int]]
    offset: str | None


@dataclass(slots=True)
class Partition:
    entries: list[Entry] = field(default_factory=list)
    committed: int = 0
    """How many entries are below the committed offset."""
    read: int = 0
    """How many the instance in service has been given, and has returned from."""
    calling: str = ""
    """The call in hand."""
    busy: bool = False
    """A batch is in hand, or is about to be."""
    failures: int = 0
    """Batches in a row."""
    lost: bool = False
    """The lease has passed to another consumer."""

    def position(self, offset: str) -> int | None:
        """How many entries are up to and with `offset`; None: there is no such offset."""
        return next((n for n, each in enumerate(self.entries, 1) if each.offset == offset), None)


class Partitions:
    """The model of one run."""

    def __init__(self, plan: Plan) -> None:
        self.partitions = [Partition() for _ in range(plan.servers)]
        self.batches: dict[str, Batch] = {}
        """By the name of the call."""
        self.commits: list[Commit] = []
        self.counts: Counter[Bucket] = Counter()
        self.ids: set[str] = set()
        self._plan = plan
        self._size = int(plan.facts.get("batch", BATCH))
        self._next: list[Op] = []
        self._ops = 0

    # --- the store

    def answer(self, t: float, ask: Ask) -> Any:
        try:
            if ask.method == "known":
                return sorted(self.ids & set(ask.args[0]))
            counted = ask.args[0]
            ids = [str(click["event_id"]) for click in counted["clicks"]]
            growth = [(_bucket(key), int(by)) for key, by in counted["growth"]]
            offset = counted["offset"]
        except (TypeError, KeyError, AttributeError, IndexError):
            raise ValueError("this cannot be stored") from None
        partition = self.partitions[ask.server]
        if partition.lost:
            raise Refused("LeaseLost", "the partition is somebody else's")
        self.commits.append(Commit(t, ask.server, ids, growth, offset))
        self.ids |= {*ids}
        for bucket, by in growth:
            self.counts[bucket] += by
        position = partition.position(offset) if offset is not None else None
        if position is not None:
            partition.committed = position
        return None

    def told(self, method: str, args: list[Any]) -> str:
        """How a report tells a question."""
        try:
            if method == "known":
                return f"known([{few(args[0])}])"
            counted = args[0]
            ids = few(click["event_id"] for click in counted["clicks"]) or "no clicks"
            return f"commit({ids}; {len(counted['growth'])} buckets grow; offset {counted['offset']!r})"
        except (TypeError, KeyError, AttributeError, IndexError):
            return f"{method}(…)"

    # --- the log, and what befalls the consumer

    def happen(self, t: float, op: Op) -> str:
        if op.method == "append":
            return self._append(t, *op.args)
        if op.method == "flood":
            return self._flood(t, *op.args)
        if op.method == "read":
            return self._read(*op.args)
        if op.method == "anew":
            return self._anew(*op.args)
        if op.method == "stop":
            return self._stop(*op.args)
        if op.method == "look":
            return "the judge looks at the counts"
        if op.method == "lose":
            (index,) = op.args
            self.partitions[index].lost = True
            return f"another consumer takes {self._plan.called(index)}: this one's lease is lost"
        raise ValueError(f"no such operation: {op.do} {op.method}")

    def _append(self, t: float, index: int, event: Click | str | None) -> str:
        partition = self.partitions[index]
        offset = f"{len(partition.entries) + 1}-0"
        click = event if isinstance(event, dict) else None
        twice = click is not None and any(each.click == click for each in partition.entries)
        partition.entries.append(Entry(offset, click, EPOCH + t, other=event == OTHER))
        self._wake(index)
        again = "again " if twice else ""
        return f"the log of {self._plan.called(index)} tells {again}{described(event)}: offset {offset!r}"

    def _flood(self, t: float, index: int, count: int, links: int) -> str:
        """Many clicks at one moment, on so many links. They are new, whatever came before."""
        partition = self.partitions[index]
        first = len(partition.entries)
        for number in range(first, first + count):
            click = {
                "event_id": f"flood-{number:06}",
                "code": f"hot{number % links}",
                "time": round(EPOCH + t - 0.02 * number, 3),
                "referrer": ("", "news.example")[number % 2],
                "agent": ("Firefox", "Chrome", "curl")[number % 3],
            }
            partition.entries.append(Entry(f"{number + 1}-0", click, EPOCH + t))
        self._wake(index)
        return f"the log of {self._plan.called(index)} tells {count} clicks on {how_many(links, 'link')}"

    def _wake(self, index: int) -> None:
        """Has the partition read, after all that happens at this moment."""
        if not self.partitions[index].busy:
            self.partitions[index].busy = True
            self._event("read", index)

    def _read(self, index: int) -> str:
        partition = self.partitions[index]
        start = partition.read
        end = min(len(partition.entries), start + self._size)
        entries = partition.entries[start:end]
        after = partition.entries[start - 1].offset if start else FIRST
        if not entries:
            partition.busy = False
            return f"{self._plan.called(index)} is read from {after!r} on: there is nothing"
        events = [each.click for each in entries if not each.other]
        ids = {click["event_id"] for click in events if click is not None}
        call = f"batch {len(self.batches) + 1}"
        self.batches[call] = Batch(index, start, end, entries[-1].offset, len(ids - self.ids))
        partition.calling = call
        told = few(click["event_id"] if click is not None else "None" for click in events)
        text = f"count([{told}], {entries[-1].offset!r})"
        args = (events, entries[-1].offset)
        self._next.append(Op(call, "call", server=index, method="count", args=args, text=text))
        return f"{self._plan.called(index)} is read from {after!r} on"

    def _anew(self, index: int) -> str:
        partition = self.partitions[index]
        partition.read, partition.lost = partition.committed, False
        done = partition.entries[partition.committed - 1].offset if partition.committed else FIRST
        self._event("read", index)
        return f"{self._plan.called(index)} begins anew with a new instance: the committed offset is {done!r}"

    def _stop(self, index: int) -> str:
        calling = self.partitions[index].calling
        if calling:
            self._ops += 1
            self._next.append(Op(f"stop {self._ops}", "cancel", target=calling))
        return f"the consumer of {self._plan.called(index)} is told to stop"

    def _event(self, method: str, index: int, at: float = 0.0) -> None:
        self._ops += 1
        self._next.append(Op(f"{method} {self._ops}", "event", at, method=method, args=(index,)))

    def react(self, t: float, ended: Call | None) -> list[Op]:
        if ended is not None and ended.name in self.batches:
            self._ended(ended)
        ops, self._next = self._next, []
        return ops

    def _ended(self, call: Call) -> None:
        partition = self.partitions[call.server]
        partition.calling = ""
        if call.outcome == "returned":
            partition.read, partition.failures = self.batches[call.name].end, 0
            partition.busy = partition.read < len(partition.entries)
            if partition.busy:
                self._event("read", call.server)
            return
        partition.failures += 1
        if partition.failures >= ATTEMPTS:
            return
        if call.outcome != "crashed":
            self._ops += 1
            self._next.append(Op(f"drop {self._ops}", "crash", server=call.server))
        self._event("anew", call.server, RETRY)

    # --- the oracle

    def clicks(self) -> list[tuple[Click, float]]:
        """All that the log told and that could be read, in its order, with the time of the telling."""
        return [(e.click, e.told) for each in self.partitions for e in each.entries if e.click is not None]

    def stuck(self) -> int | None:
        """A partition whose consumer gave up."""
        return next((n for n, each in enumerate(self.partitions) if each.failures >= ATTEMPTS), None)


def described(event: Click | str | None) -> str:
    """An event of the log, for reports."""
    return (
        "an event that is no click"
        if event == OTHER
        else describe(event if isinstance(event, dict) else None)
    )


def _bucket(key: Any) -> Bucket:
    return (
        str(key["code"]),
        str(key["width"]),
        int(key["start"]),
        str(key["dimension"]),
        str(key["value"]),
    )
