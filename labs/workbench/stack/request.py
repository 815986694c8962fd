"""What the client of a new supervisor asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PROFILES = ("embedded", "local", "compose")


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asks of a new supervisor: the first line on its standard input."""

    name: str
    case: str
    profile: str
    servers: int
    settings: dict[str, Any]
    owned: bool
    observability: bool = False
    """Whether a Prometheus is to watch it."""

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"no profile {self.profile!r}; there are {', '.join(PROFILES)}")
        if not 1 <= self.servers <= 16:
            raise ValueError("a stack has 1 to 16 servers")
        if self.observability and self.profile != "compose":
            raise ValueError(
                f"observability: the profile compose has a Prometheus, {self.profile} has none; "
                "stack.metrics(...) and stack.objectives() work on all"
            )
