"""Accounts, limits, the blocklist and personal data over HTTP."""

from typing import Any

import pytest

from reference.platform.errors import TimedOut, Unavailable
from tests.unit.reference.conftest import bearer

pytestmark = pytest.mark.anyio


async def ids(world: Any, who: dict[str, str], **query: Any) -> list[str]:
    answer = await world.http.get("/api/v1/me/links", headers=who, params=query)
    assert answer.status_code == 200, answer.text
    return [link["code"] for link in answer.json()["links"]]


async def make(world: Any, who: dict[str, str]) -> Any:
    answer = await world.http.post("/api/v1/shorten", json={"long_url": "https://example.org/"}, headers=who)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_only_administrators_open_accounts(world: Any) -> None:
    ada = await world.person("Ada")
    assert (await world.http.post("/api/v1/principals", json={"name": "x"}, headers=ada)).status_code == 403
    assert (await world.http.post("/api/v1/principals", json={"name": "x"})).status_code == 401
    root = await world.person("Root", "admin")
    assert (await world.http.post("/api/v1/principals", json={"name": "x"}, headers=root)).status_code == 201


async def test_me(world: Any) -> None:
    me = (await world.http.get("/api/v1/me", headers=await world.person("Ada"))).json()
    assert (me["name"], me["role"], me["created_at"]) == ("Ada", "user", "2027-01-15T08:00:00.250000Z")
    first = (await world.http.get("/api/v1/me", headers=world.administrator)).json()
    assert first == {"id": "administrator", "name": "administrator", "role": "admin", "created_at": None}


async def test_tokens_come_and_go(world: Any) -> None:
    ada = await world.person("Ada")
    made = (await world.http.post("/api/v1/me/tokens", json={"label": "laptop"}, headers=ada)).json()
    other = bearer(made["token"])
    listed = (await world.http.get("/api/v1/me/tokens", headers=other)).json()["tokens"]
    assert {token["label"] for token in listed} == {"first", "laptop"}
    assert made["token"] not in repr(listed)
    bob = await world.person("Bob")
    path = f"/api/v1/me/tokens/{made['id']}"
    assert (await world.http.delete(path, headers=bob)).status_code == 404
    assert (await world.http.delete(path, headers=ada)).status_code == 204
    assert (await world.http.get("/api/v1/me", headers=other)).status_code == 401
    assert (await world.http.get("/api/v1/me", headers=ada)).status_code == 200


async def test_the_store_keeps_no_token(world: Any) -> None:
    ada = await world.person("Ada")
    kept = [row["hash"] for row in await world.store.query("SELECT hash FROM api_tokens")]
    assert len(kept) == 1
    assert ada["Authorization"].removeprefix("Bearer ") not in "\n".join(world.store.sqlite.iterdump())


async def test_an_account_has_twenty_tokens_at_most(world: Any) -> None:
    ada = await world.person("Ada")
    made = [await world.http.post("/api/v1/me/tokens", json={}, headers=ada) for _ in range(20)]
    assert [answer.status_code for answer in made] == [201] * 19 + [409]
    answer = await world.http.post("/api/v1/me/tokens", json={}, headers=world.administrator)
    assert answer.json()["type"].endswith(":no-account")


async def test_who_was_here_is_known_while_the_store_is_away(world: Any) -> None:
    ada = await world.person("Ada")
    await make(world, ada)
    world.store.errors = [Unavailable("away")] * 9
    await make(world, ada)
    await world.shorten()
    world.clock.time += 5.1
    answer = await world.http.get("/api/v1/me", headers=ada)
    assert answer.status_code == 503


async def test_an_owner_and_an_administrator_delete_without_the_link_s_token(world: Any) -> None:
    ada, bob = await world.person("Ada"), await world.person("Bob")
    made = await make(world, ada)
    for who, status in ((bob, 403), (ada, 204), (ada, 204)):
        assert (await world.http.delete(f"/api/v1/links/{made['code']}", headers=who)).status_code == status
    other = await make(world, ada)
    answer = await world.http.delete(f"/api/v1/links/{other['code']}", headers=world.administrator)
    assert answer.status_code == 204


async def test_deletions_are_in_the_audit_log_without_personal_data(world: Any) -> None:
    ada = await world.person("Ada Lovelace")
    mine, nobodys = await make(world, ada), await world.shorten("https://example.org/secret")
    await world.http.delete(f"/api/v1/links/{mine['code']}", headers=ada)
    world.clock.time += 1
    token = bearer(nobodys["delete_token"])
    for _ in range(2):
        await world.http.delete(f"/api/v1/links/{nobodys['code']}", headers=token)
        world.clock.time += 1
    me = (await world.http.get("/api/v1/me", headers=ada)).json()["id"]
    rows = await world.store.query("SELECT action, subject, actor, at FROM audit_log ORDER BY at")
    assert [tuple(row.values()) for row in rows] == [
        ("delete-link", mine["code"], me, 1_800_000_000.25),
        ("delete-link", nobodys["code"], "delete-token", 1_800_000_001.25),
    ]


@pytest.mark.parametrize("error", [Unavailable("away"), TimedOut("slow")])
async def test_no_deletion_is_acknowledged_without_its_row(world: Any, error: Exception) -> None:
    made = await world.shorten()
    token, path = bearer(made["delete_token"]), f"/api/v1/links/{made['code']}"
    world.store.errors = [error]
    assert (await world.http.delete(path, headers=token)).status_code == 503
    assert (await world.http.delete(path, headers=token)).status_code == 204
    assert len(await world.store.query("SELECT subject FROM audit_log")) == 1


async def test_my_links_a_page_at_a_time(world: Any) -> None:
    ada, bob = await world.person("Ada"), await world.person("Bob")
    mine = sorted([(await make(world, ada))["code"] for _ in range(5)])
    await make(world, bob)
    assert await ids(world, ada) == mine
    page = (await world.http.get("/api/v1/me/links", headers=ada, params={"limit": 3})).json()
    assert [link["code"] for link in page["links"]] == mine[:3]
    assert await ids(world, ada, after=page["next"]) == mine[3:]


# --- the rate limit


async def test_so_many_links_a_minute_and_no_more(world: Any) -> None:
    world.live.set("shorten_limit", 3)
    body = {"long_url": "https://example.org/"}
    for _ in range(3):
        assert (await world.http.post("/api/v1/shorten", json=body)).status_code == 201
    refused = await world.http.post("/api/v1/shorten", json=body)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "20"
    assert refused.headers["ratelimit"] == '"shorten";r=0;t=20'
    assert refused.headers["ratelimit-policy"] == '"shorten";q=3;w=60'
    ada = await world.person("Ada")
    await make(world, ada)
    world.clock.time += 20
    await world.shorten()
    assert (await world.http.post("/api/v1/shorten", json=body)).status_code == 429
    world.live.set("shorten_limit", 0)
    await world.shorten()


async def test_an_address_is_what_our_proxy_says_and_not_what_the_client_says(world: Any) -> None:
    world.live.set("shorten_limit", 1)
    body = {"long_url": "https://example.org/"}

    async def status(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        answer = await world.http.post("/api/v1/shorten", json=body, headers=headers)
        return int(answer.status_code)

    assert await status("198.51.100.7") == 201
    assert await status("198.51.100.200") == 429  # the same network
    assert await status("10.0.0.1, 198.51.100.9") == 429  # what the client wrote itself comes first
    assert await status("198.51.100.9, 203.0.113.1") == 201


# --- the blocklist


async def test_a_blocked_host_takes_its_subdomains_with_it(world: Any) -> None:
    put = await world.http.put("/api/v1/blocklist/EXAMPLE.org.", json={}, headers=world.administrator)
    assert put.json()["host"] == "example.org"
    for url, status in (
        ("https://example.org/", 422),
        ("https://www.EXAMPLE.org/x", 422),
        ("https://notexample.org/", 201),
        ("https://example.org.uk/", 201),
    ):
        answer = await world.http.post("/api/v1/shorten", json={"long_url": url})
        assert answer.status_code == status, url
    listed = await world.http.get("/api/v1/blocklist", headers=world.administrator)
    assert [entry["host"] for entry in listed.json()["hosts"]] == ["example.org"]
    for status in (204, 404):
        gone = await world.http.delete("/api/v1/blocklist/example.org", headers=world.administrator)
        assert gone.status_code == status
    await world.shorten("https://example.org/")


async def test_the_list_s_copy_serves_while_the_store_is_away(world: Any) -> None:
    await world.http.put("/api/v1/blocklist/10.0.0.1", json={}, headers=world.administrator)
    await world.shorten()
    world.clock.time += 6
    world.store.errors = [Unavailable("away")] * 9
    await world.shorten()
    answer = await world.http.post("/api/v1/shorten", json={"long_url": "http://0xa.1/"})
    assert answer.json()["type"].endswith(":blocked")


async def test_without_any_copy_no_links_are_made(world: Any) -> None:
    world.store.errors = [Unavailable("away")]
    answer = await world.http.post("/api/v1/shorten", json={"long_url": "https://example.org/"})
    assert answer.status_code == 503
    await world.shorten()


# --- personal data


async def test_everything_that_is_kept_of_a_person(world: Any) -> None:
    ada = await world.person("Ada")
    made = await make(world, ada)
    data = (await world.http.get("/api/v1/me/data", headers=ada)).json()
    assert data["account"]["name"] == "Ada"
    assert [link["code"] for link in data["links"]] == [made["code"]]
    assert data["links"][0]["clicks"]["total"] == 0
    assert len(data["tokens"]) == 1


async def test_an_account_is_erased_with_its_links(world: Any) -> None:
    ada, bob = await world.person("Ada"), await world.person("Bob")
    mine = [(await make(world, ada))["code"] for _ in range(3)]
    kept = await make(world, bob)
    assert (await world.http.delete("/api/v1/me", headers=ada)).status_code == 204
    assert (await world.http.get("/api/v1/me", headers=ada)).status_code == 401
    for code in mine:
        assert (await world.http.get(f"/{code}")).status_code == 404
    assert (await world.http.get(f"/{kept['code']}")).status_code == 302
    assert "Ada" not in "\n".join(world.store.sqlite.iterdump())


async def test_a_large_account_goes_bit_by_bit(world: Any) -> None:
    ada = await world.person("Ada")
    for _ in range(220):
        await make(world, ada)
    statuses = []
    while (answer := await world.http.delete("/api/v1/me", headers=ada)).status_code == 202:
        statuses.append(answer.status_code)
    assert (statuses, answer.status_code) == ([202], 204)
    assert len(world.links.deleted) == 220


async def test_an_erasure_that_broke_off_is_taken_up_again(world: Any) -> None:
    """Each of its steps fails once: the links stay listed until their caches and clicks were seen to, too."""
    ada = await world.person("Ada")
    mine = [(await make(world, ada))["code"] for _ in range(3)]
    answers = []
    for number in range(100):
        world.store.errors = []
        world.redirects.errors = []
        pending = iter([None] * number + [Unavailable("away")])
        real = world.store.transaction

        async def failing(statements: Any, pending: Any = pending, real: Any = real) -> Any:
            if (trouble := next(pending, None)) is not None:
                raise trouble
            return await real(statements)

        world.store.transaction = failing
        world.redirects.errors = [Unavailable("away")] if number % 3 == 0 else []
        answers.append((await world.http.delete("/api/v1/me", headers=ada)).status_code)
        world.store.transaction = real
        if answers[-1] == 204:
            break
    assert set(answers[:-1]) == {503}
    assert len(answers) > 5
    assert answers[-1] == 204
    assert world.links.deleted == set(mine)
    assert set(mine) <= set(world.redirects.invalidated[3:])
