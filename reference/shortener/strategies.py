"""How a new link gets its code: the strategy of the live setting `code_strategy`, asked anew for each link.

| strategy  | one code costs                              | codes can run out        | who can guess the next |
| random    | a claim                                     | no                       | nobody                 |
| hash      | a claim; two where the URL is known already | no                       | nobody without the key |
| snowflake | a claim; a lease now and then               | 128 a second and server  | nobody without the key |
| pool      | a claim; a hundredth of an SPOP             | while the pool is dry    | nobody without the key |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reference.shortener.components import Namespace

_CODE = re.compile(r"[0-9A-Za-z]{1,32}")


class Strategy(Protocol):
    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        """A code that `namespace.claim` has granted. Raises PortError, ComponentError."""
        ...


class Codes:
    """`strategies` by name; `chosen` tells the name that is in force now."""

    def __init__(self, strategies: Mapping[str, Strategy], chosen: Callable[[], str]) -> None:
        self._strategies = strategies
        self._chosen = chosen

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        """A code that `namespace.claim` has granted. Raises PortError, ComponentError."""
        return await self._strategies[self._chosen()].new_code(long_url, namespace)


class Holder(Protocol):
    """What is needed of `reference.platform.slots.SlotHolder`."""

    async def call(self, method: str, *args: Any) -> Any: ...
    def misbehaved(self, method: str, what: str) -> Exception: ...


@dataclass(frozen=True, slots=True)
class SlottedCodes:
    """The component that is in service right now, as a strategy. What it claims and returns is checked: a code that
    was not granted may be somebody else's link."""

    holder: Holder

    async def new_code(self, long_url: str, namespace: Namespace) -> str:
        witness = Witness(self.holder, namespace)
        code = await self.holder.call("new_code", long_url, witness)
        if code not in witness.granted:
            raise self.holder.misbehaved("new_code", f"returned {code!r:.80}, which it had not been granted")
        return str(code)


@dataclass(frozen=True, slots=True)
class Witness:
    """A namespace that remembers what it granted, and lets nothing pass that is no code."""

    holder: Holder
    namespace: Namespace
    granted: list[str] = field(default_factory=list)

    async def claim(self, code: str) -> bool:
        if not isinstance(code, str) or _CODE.fullmatch(code) is None:
            raise self.holder.misbehaved("new_code", f"claimed {code!r:.80}, which is no code")
        mine = await self.namespace.claim(code)
        if mine:
            self.granted.append(code)
        return mine

    async def taken(self, code: str) -> bool:
        return await self.namespace.taken(code)
