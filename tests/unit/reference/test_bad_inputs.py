"""Every request of the table is refused as it says, and changes nothing."""

from typing import Any

import pytest

from tests.unit.reference.bad_inputs import TABLE, Bad

pytestmark = pytest.mark.anyio


def test_there_are_many() -> None:
    assert len(TABLE) >= 60
    assert len({bad.name for bad in TABLE}) == len(TABLE)


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
async def test_it_is_refused(world: Any, bad: Bad) -> None:
    await world.shorten(custom_alias="my-link")
    answer = await world.http.request(bad.method, bad.path, **bad.request)
    assert answer.status_code == bad.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem["type"] == f"urn:workbench:problem:{bad.kind}"
    assert problem["status"] == bad.status
    assert bad.words in problem["detail"]
    assert list(world.links.rows) == ["my-link"]
    assert not world.links.deleted
