"""Time and chance follow the judge: whatever a component asks, the same seed gets the same answer.

`Virtual.install` replaces, for the whole process, what tells time (`time`, `datetime`) and what draws
(`random`, `secrets`, `uuid`, `os.urandom`). It runs before a component is loaded, so
`from time import time` is covered.
"""

from __future__ import annotations

import datetime as datetime_module
import os
import random
import time
import uuid
from collections.abc import Callable
from datetime import date as RealDate
from datetime import datetime as RealDatetime
from typing import Any

MONOTONIC_START = 1000.0


class Virtual:
    """The instant, in seconds since the run began, and the run's own source of chance."""

    def __init__(self, on_block: Callable[[float], None]) -> None:
        self.elapsed: Callable[[], float] = lambda: 0.0
        self.skew: Callable[[], float] = lambda: 0.0
        """By how many seconds the clock of the server whose code is running is ahead."""
        self.epoch = 0.0
        self.chance = random.Random(0)
        self.on_block = on_block

    def true_wall(self) -> float:
        return self.epoch + self.elapsed()

    def wall(self) -> float:
        return self.epoch + self.elapsed() + self.skew()

    def monotonic(self) -> float:
        return MONOTONIC_START + self.elapsed()

    def restart(
        self, seed: int, epoch: float, elapsed: Callable[[], float], skew: Callable[[], float]
    ) -> None:
        self.elapsed, self.epoch, self.skew = elapsed, epoch, skew
        self.chance = random.Random(f"entropy {seed}")
        random.seed(f"random {seed}")

    def install(self) -> None:
        self._install_time()
        self._install_datetime()
        self._install_chance()

    def _install_time(self) -> None:
        from_epoch, from_start, block = self.wall, self.monotonic, self.on_block
        real_gmtime, real_localtime = time.gmtime, time.localtime

        def replace(name: str, function: Callable[..., Any]) -> None:
            setattr(time, name, function)

        replace("time", lambda: from_epoch())
        replace("time_ns", lambda: round(from_epoch() * 1e9))
        for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
            replace(name, lambda: from_start())
            replace(f"{name}_ns", lambda: round(from_start() * 1e9))
        replace("sleep", lambda seconds: block(float(seconds)))
        replace("gmtime", lambda seconds=None: real_gmtime(from_epoch() if seconds is None else seconds))
        replace(
            "localtime", lambda seconds=None: real_localtime(from_epoch() if seconds is None else seconds)
        )

    def _install_datetime(self) -> None:
        wall = self.wall

        class Lenient(type):
            """What the C code makes (say, by adding a timedelta) still counts as a datetime."""

            def __instancecheck__(cls, instance: object) -> bool:
                return isinstance(instance, RealDatetime if issubclass(cls, RealDatetime) else RealDate)

        class VirtualDatetime(RealDatetime, metaclass=Lenient):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return cls.fromtimestamp(wall(), tz)

            @classmethod
            def utcnow(cls) -> Any:
                return cls.fromtimestamp(wall(), datetime_module.UTC).replace(tzinfo=None)

            @classmethod
            def today(cls) -> Any:
                return cls.fromtimestamp(wall())

        class VirtualDate(RealDate, metaclass=Lenient):
            @classmethod
            def today(cls) -> Any:
                return cls.fromtimestamp(wall())

        VirtualDatetime.__name__ = VirtualDatetime.__qualname__ = "datetime"
        VirtualDate.__name__ = VirtualDate.__qualname__ = "date"
        datetime_module.datetime = VirtualDatetime  # type: ignore[misc]
        datetime_module.date = VirtualDate  # type: ignore[misc]

    def chance_bits(self) -> int:
        return self.chance.getrandbits(128)

    def _install_chance(self) -> None:
        def urandom(count: int) -> bytes:
            return self.chance.randbytes(count)

        os.urandom = urandom
        random._urandom = urandom  # type: ignore[attr-defined]  # what SystemRandom, and so secrets, calls
        chance = self.chance_bits

        class VirtualRandom(random.Random):
            """One that is not told a seed takes it from the run's own chance."""

            def __init__(self, x: Any = None) -> None:
                super().__init__(chance() if x is None else x)

        VirtualRandom.__name__ = VirtualRandom.__qualname__ = "Random"
        random.Random = VirtualRandom  # type: ignore[misc]
        uuid.uuid4 = lambda: uuid.UUID(bytes=urandom(16), version=4)
        uuid.uuid1 = lambda node=None, clock_seq=None: uuid.UUID(bytes=urandom(16), version=1)
