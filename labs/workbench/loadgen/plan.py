"""What a load consists of: which requests, and when."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal
from urllib.parse import urlsplit

from workbench.popularity import Zipf

MAX_RATE = 5_000
MAX_SECONDS = 600.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`rate`: requests/s. `skew`: Zipf exponent over `codes`, the first being the most popular. Times in seconds.

    `arrivals`: "poisson", as independent users come, or "even". The same `seed` gives the same requests at the same
    times. ValueError where a value makes no sense, or where `url` is not on this machine: load is for one's own only.
    """

    url: str
    codes: tuple[str, ...]
    rate: float = 200.0
    seconds: float = 5.0
    skew: float = 1.0
    seed: int = 1
    arrivals: Literal["poisson", "even"] = "poisson"
    timeout: float = 3.0
    max_in_flight: int = 1_000
    tick: float = 0.25

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme != "http" or urlsplit(self.url).hostname not in LOOPBACK:
            raise ValueError(
                f"load goes to this machine only, such as http://127.0.0.1:8080; not to {self.url}"
            )
        if not self.codes:
            raise ValueError("codes: give at least one")
        if bad := [code for code in self.codes if not code.isprintable() or " " in code or "\n" in code]:
            raise ValueError(f"{bad[0]!r} cannot be part of a URL")
        if not 0 < self.rate <= MAX_RATE:
            raise ValueError(f"rate = {self.rate}: above 0, at most {MAX_RATE} requests/s")
        if not 0 < self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds = {self.seconds}: above 0, at most {MAX_SECONDS:.0f}")
        if self.skew < 0:
            raise ValueError(f"skew = {self.skew}: 0 (all codes alike) or more")
        if self.arrivals not in ("poisson", "even"):
            raise ValueError(f"arrivals = {self.arrivals!r}: poisson or even")
        if not (self.timeout > 0 and self.max_in_flight > 0 and self.tick > 0):
            raise ValueError("timeout, max_in_flight and tick: above 0")

    def requests(self) -> Iterator[tuple[float, str]]:
        """(seconds after the start, code) of each request, in order."""
        gaps = random.Random(self.seed)
        ranks = Zipf(len(self.codes), self.skew).sampler(self.seed)
        at = 0.0
        while True:
            at += gaps.expovariate(self.rate) if self.arrivals == "poisson" else 1 / self.rate
            if at >= self.seconds:
                return
            yield at, self.codes[next(ranks)]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LoadPlan:
        data = json.loads(text)
        return cls(**data | {"codes": tuple(data["codes"])})
