"""What a deletion says when it could be done in part only."""

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from reference.platform.errors import Indefinite, Unavailable
from reference.shortener.service import Shortener

pytestmark = pytest.mark.anyio


async def test_without_the_audit_log_nobody_is_told_that_nothing_was_done() -> None:
    """Its error is definite, of the audit log; the link is deleted all the same, and may be deleted again."""
    parts: dict[str, Any] = dict.fromkeys(("orders", "clicks", "statistics", "metrics"), Mock())
    links, redirects = Mock(), Mock()
    links.delete = AsyncMock(return_value="deleted")
    redirects.invalidate = AsyncMock()
    audit = Mock()
    audit.note = AsyncMock(side_effect=[Unavailable("the store is away"), None])
    clock = Mock()
    clock.now.return_value = 1000.0
    service = Shortener(links=links, redirects=redirects, audit=audit, clock=clock, **parts)
    with pytest.raises(Indefinite, match="the link is deleted, and not yet in the audit log"):
        await service.delete("abc", token="token")
    redirects.invalidate.assert_awaited_once_with("abc")
    assert await service.delete("abc", token="token") == "deleted"
