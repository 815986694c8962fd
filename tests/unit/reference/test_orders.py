"""Idempotency keys and aliases: one link, whatever breaks off in between."""

import asyncio
import itertools
from typing import Any

import pytest

from reference.platform.errors import Indefinite, PortError, TimedOut, Unavailable
from reference.shortener.aliases import check_alias, skeleton

pytestmark = pytest.mark.anyio

URL = "https://example.org/"


async def post(
    world: Any, key: str | None = "key-1", headers: dict[str, str] | None = None, **body: str
) -> Any:
    told = {"Idempotency-Key": key} if key else {}
    return await world.http.post(
        "/api/v1/shorten", json={"long_url": URL, **body}, headers={**told, **(headers or {})}
    )


async def test_the_same_url_twice_is_two_links(world: Any) -> None:
    one, other = await post(world, None), await post(world, None)
    assert one.json()["code"] != other.json()["code"]
    assert one.json()["delete_token"] != other.json()["delete_token"]


async def test_a_key_makes_a_retry_the_same_link(world: Any) -> None:
    first = await post(world)
    world.clock.time += 3600
    again = await post(world)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert len(world.links.rows) == 1


async def test_a_key_lasts_a_day(world: Any) -> None:
    first = await post(world)
    world.clock.time += 86_401
    again = await post(world)
    assert again.json()["code"] != first.json()["code"]


async def test_a_key_with_another_order_is_refused(world: Any) -> None:
    await post(world)
    answer = await post(world, expiry="2030-01-01")
    assert answer.status_code == 422
    assert answer.json()["type"].endswith(":key-reused")


async def test_two_people_may_use_one_key(world: Any) -> None:
    ada, bob = await world.person("Ada"), await world.person("Bob")
    made = [await post(world, headers=who) for who in (ada, bob, {"X-Forwarded-For": "192.0.2.1"}, {})]
    assert len({answer.json()["code"] for answer in made}) == 4


async def test_a_retry_after_the_deletion_gets_the_same_answer(world: Any) -> None:
    first = (await post(world)).json()
    right = {"Authorization": f"Bearer {first['delete_token']}"}
    assert (await world.http.delete(f"/api/v1/links/{first['code']}", headers=right)).status_code == 204
    assert (await post(world)).json() == first
    assert len(world.links.rows) == 1


async def test_two_at_once_are_one_link(world: Any) -> None:
    answers = await asyncio.gather(*(post(world) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(world.links.rows) == 1


async def test_a_proposal_that_was_taken_is_replaced(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = itertools.chain(["taken00", "taken00", "free000"], itertools.repeat("never00"))
    monkeypatch.setattr(world.codes._source, "choices", lambda *_, k: next(draws))
    await post(world, None)
    first = await post(world)
    assert first.json()["code"] == "free000"
    assert (await post(world)).json() == first.json()


@pytest.mark.parametrize("alias", [{}, {"custom_alias": "my-link"}])
@pytest.mark.parametrize(
    ("error", "act_first"), [(Unavailable, False), (TimedOut, False), (TimedOut, True), (Indefinite, True)]
)
async def test_wherever_it_breaks_off_a_retry_finds_its_link(
    world: Any, error: type[PortError], alias: dict[str, str], act_first: bool
) -> None:
    """The n-th call of either database fails, and every call after it, until the client tries again."""
    codes = set()
    for number, database in itertools.product(range(6), (world.store, world.links)):
        database.act_first = act_first
        key = f"key-{number}-{type(database).__name__}"
        body = {name: f"{text}-{key}".lower()[:32] for name, text in alias.items()}
        calls = iter([None] * number + [error("?")] * 20)

        def fail(calls: Any = calls, database: Any = database) -> None:
            if (trouble := next(calls, None)) is not None:
                database.errors = [trouble]

        trouble = watch(database, fail)
        broken = await post(world, key, **body)
        trouble.undo()
        database.errors = []
        mended = await post(world, key, **body)
        assert mended.status_code == 201, mended.text
        if broken.status_code == 201:
            assert broken.json() == mended.json()
        codes.add(mended.json()["code"])
    assert set(world.links.rows) == codes


def watch(database: Any, fail: Any) -> pytest.MonkeyPatch:
    """Calls `fail` before each call of the database."""
    patch = pytest.MonkeyPatch()
    method = "transaction" if hasattr(database, "transaction") else "insert"
    real = getattr(database, method)

    async def watched(*args: Any) -> Any:
        fail()
        return await real(*args)

    patch.setattr(database, method, watched)
    return patch


async def test_an_alias_is_the_code(world: Any) -> None:
    made = await world.shorten(custom_alias="My_link-2")
    assert made["code"] == "My_link-2"
    assert (await world.http.get("/My_link-2")).status_code == 302
    assert (await world.http.get("/my_link-2")).status_code == 404


async def test_a_deleted_alias_is_not_given_again(world: Any) -> None:
    made = await world.shorten(custom_alias="my-link")
    right = {"Authorization": f"Bearer {made['delete_token']}"}
    await world.http.delete("/api/v1/links/my-link", headers=right)
    assert (await post(world, None, custom_alias="my-link")).status_code == 409


async def test_of_many_that_want_an_alias_one_gets_it(world: Any) -> None:
    spellings = ["my-link", "my_link", "MY-LINK", "my-1ink"] * 5
    answers = await asyncio.gather(*(post(world, None, custom_alias=each) for each in spellings))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


async def test_a_spelling_that_was_settled_leaves_the_alias_free(world: Any) -> None:
    """A server was killed between the two steps."""
    world.links.errors = [Unavailable("killed")]
    assert (await post(world, None, custom_alias="my-link")).status_code == 503
    assert (await post(world, None, custom_alias="my-link")).status_code == 201


async def test_a_made_code_shadows_no_route(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(["healthz", "metrics", "free000"])
    monkeypatch.setattr(world.codes._source, "choices", lambda *_, k: next(draws))
    assert (await world.shorten())["code"] == "free000"


def test_skeletons() -> None:
    for twins in (
        ["paypal", "PayPal", "paypa1", "PAYPAI"],
        ["modern", "rnodem", "m0dern"],
        ["vvow", "wow", "W0W"],
    ):
        assert len({skeleton(twin) for twin in twins}) == 1
    assert len({skeleton(each) for each in ("paypal", "paypals", "papyal")}) == 3


def test_seven_letters_are_fine_with_a_dash_or_at_another_length() -> None:
    for alias in ("my-link", "example1", "exampl", "EXAMPLE-2"):
        check_alias(alias)
    with pytest.raises(ValueError, match="7 letters and digits"):
        check_alias("example")
    check_alias("example", made_length=1)
