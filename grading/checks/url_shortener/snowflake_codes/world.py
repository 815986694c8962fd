"""The oracle of the slot: the namespace of codes, and the table of leases behind the port `workers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grading.checks.url_shortener.codes import Namespace
from grading.judge.history import Ask
from grading.judge.model import Refused
from grading.judge.plan import Plan
from grading.judge.world import EPOCH

LEASE_SECONDS = 30.0
"""A worker number that was not renewed for so long is free again. By true time, whatever a server's clock shows."""

WORKERS = 32
"""What five bits hold."""


@dataclass(slots=True)
class Number:
    """A worker number: who holds it until when, and up to which instant it may have been used."""

    fence: int = 0
    expires_at: float = 0.0
    used_until: float = 0.0
    holder: int | None = None


def _reversed(worker: int) -> int:
    """The number with its five bits in reverse order."""
    return int(f"{worker % WORKERS:05b}"[::-1], 2)


class Leases:
    """The promises of `WorkerIds`. Any free number may be given out. This table picks what shows most: first the number
    that was used last, then 31, 15, 23, …, of which the first two differ in their highest bit."""

    def __init__(self, workers: int) -> None:
        self.numbers = [Number() for _ in range(workers)]

    def lease(self, now: float, server: int) -> dict[str, Any]:
        free = [worker for worker, each in enumerate(self.numbers) if each.expires_at <= now]
        if not free:
            raise Refused("Unavailable", f"all {len(self.numbers)} worker numbers are held")
        worker = max(free, key=lambda each: (self.numbers[each].used_until, _reversed(each)))
        number = self.numbers[worker]
        number.fence, number.expires_at, number.holder = number.fence + 1, now + LEASE_SECONDS, server
        return self._told(worker, number.used_until)

    def renew(self, now: float, lease: dict[str, Any], used_until: float) -> dict[str, Any]:
        worker = lease["worker"]
        if not 0 <= worker < len(self.numbers) or self.numbers[worker].fence != lease["fence"]:
            raise Refused("LeaseLost", f"worker number {worker} is somebody else's")
        number = self.numbers[worker]
        number.expires_at = now + LEASE_SECONDS
        number.used_until = max(number.used_until, used_until)
        return self._told(worker, lease["floor"])

    def _told(self, worker: int, floor: float) -> dict[str, Any]:
        number = self.numbers[worker]
        return {"worker": worker, "fence": number.fence, "expires_at": number.expires_at, "floor": floor}


class World(Namespace):
    """Both ports. `facts` of the plan: those of `Namespace`; `workers` (how many numbers there are); `apart` (true:
    each server belongs to an installation of its own, with a table of leases of its own)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        workers = plan.facts.get("workers", WORKERS)
        tables = plan.servers if plan.facts.get("apart") else 1
        self._leases = [Leases(workers) for _ in range(tables)]

    def answer(self, t: float, ask: Ask) -> Any:
        if ask.port == "namespace":
            return super().answer(t, ask)
        leases = self._leases[ask.server % len(self._leases)]
        if ask.method == "lease":
            return leases.lease(EPOCH + t, ask.server)
        if ask.method == "renew":
            return leases.renew(EPOCH + t, *ask.args)
        raise ValueError(f"no such question: {ask.method}")
