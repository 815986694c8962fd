"""The redirect cache that is in service right now, checked: the server must be able to trust what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reference.platform.slots import SlotHolder
from reference.shortener.components import Answer


class Redirects(Protocol):
    """What the service needs of the slot's holder: see `components.RedirectCache`."""

    async def resolve(self, code: str) -> Answer: ...
    async def invalidate(self, code: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SlottedRedirects:
    holder: SlotHolder

    async def resolve(self, code: str) -> Answer:
        """Raises PortError or ComponentError."""
        answer = await self.holder.call("resolve", code)
        if not isinstance(answer, Answer) or answer.state not in ("live", "expired", "unknown"):
            raise self.holder.misbehaved("resolve", f"returned {answer!r:.80}, which is no Answer")
        url, end = answer.long_url, answer.expires_at
        if answer.state == "live" and not (isinstance(url, str) and is_one_line(url)):
            raise self.holder.misbehaved("resolve", f"returned {url!r:.80} as the URL of a live link")
        if end is not None and not isinstance(end, int | float):
            raise self.holder.misbehaved(
                "resolve", f"returned {end!r:.80} as the instant at which a link ends"
            )
        return answer

    async def invalidate(self, code: str) -> None:
        """Raises PortError, RedisError or ComponentError."""
        await self.holder.call("invalidate", code)


def is_one_line(url: str) -> bool:
    """Whether `url` can be a header's value, as UTF-8, and nothing more than that."""
    try:
        url.encode()
    except UnicodeEncodeError:
        return False
    return bool(url) and all(character > " " and character != "\x7f" for character in url)
