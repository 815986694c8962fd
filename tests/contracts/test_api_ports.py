"""What the API keeps in the store, and its rate limit, over every adapter: SQLite, PostgreSQL, fakeredis, Redis."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from reference.build.api import STORE_TABLES
from reference.platform import sql
from reference.platform.clock import SystemClock
from reference.platform.rate_limit import RateLimit
from reference.platform.redis_client import redis_client
from reference.shortener.accounts import TOKENS_LIMIT, SqlAccounts, TooManyTokens
from reference.shortener.aliases import SqlSpellings
from reference.shortener.audit import SqlAuditLog
from reference.shortener.blocklist import BlockedHost, SqlBlockedHosts
from reference.shortener.idempotency import KEPT, Forgetting, Intent, Key, SqlIntents
from reference.shortener.personal_data import ToErase

pytestmark = pytest.mark.anyio

KEY = Key("somebody", "key-1", "fingerprint")
INTENT = Intent("fingerprint", "nonce-1", 1_800_000_000.25, 1_900_000_000.5)


@pytest.fixture
async def database(services: Any) -> AsyncIterator[sql.Database]:
    database = sql.connect(services.store_url, timeout=5.0)
    await database.define(STORE_TABLES)
    yield database
    await database.close()


class StandingClock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


async def test_all_tables_may_be_made_again(database: sql.Database) -> None:
    await asyncio.gather(*(database.define(STORE_TABLES) for _ in range(3)))


# --- aliases


async def test_a_skeleton_has_one_spelling(database: sql.Database) -> None:
    spellings = SqlSpellings(database)
    settled = await asyncio.gather(
        *(spellings.settle(each) for each in ["my-link", "my_1ink", "MY-LINK"] * 5)
    )
    assert len(set(settled)) == 1
    assert await spellings.settle("other") == "other"


# --- idempotency keys


async def test_of_all_that_begin_with_a_key_the_first_decides(database: sql.Database) -> None:
    intents = SqlIntents(database)
    others = [Intent("fingerprint", f"nonce-{n}", INTENT.created_at, INTENT.expires_at) for n in range(10)]
    begun = await asyncio.gather(*(intents.begin(KEY, other) for other in others))
    assert len(set(begun)) == 1
    assert begun[0] in others
    assert await intents.begin(Key("somebody else", "key-1", "x"), INTENT) == INTENT


async def test_a_key_s_day_ends(database: sql.Database) -> None:
    intents = SqlIntents(database)
    await intents.begin(KEY, INTENT)
    await intents.propose(KEY, "abc1234", "")
    await intents.settle(KEY)
    later = Intent("fingerprint", "nonce-2", INTENT.created_at + KEPT, INTENT.expires_at)
    settled = await intents.begin(KEY, later)
    assert (settled.nonce, settled.code, settled.settled) == ("nonce-1", "abc1234", 1)
    latest = Intent("fingerprint", "nonce-3", INTENT.created_at + KEPT + 1, INTENT.expires_at)
    assert await intents.begin(KEY, latest) == latest


async def test_of_all_proposals_one_is_made(database: sql.Database) -> None:
    intents = SqlIntents(database)
    await intents.begin(KEY, INTENT)
    made = await asyncio.gather(*(intents.propose(KEY, f"code-{n}", "") for n in range(10)))
    assert len(set(made)) == 1
    assert await intents.propose(KEY, made[0], "") == made[0]  # as after an unknown outcome
    assert await intents.propose(KEY, "other", made[0]) == "other"
    assert (await intents.begin(KEY, INTENT)).code == "other"


async def test_old_keys_are_forgotten_and_others_are_not(database: sql.Database) -> None:
    intents, clock = SqlIntents(database), StandingClock()
    await intents.begin(KEY, INTENT)
    young = Intent("fingerprint", "nonce-2", INTENT.created_at + 10, INTENT.expires_at)
    await intents.begin(Key("somebody", "key-2", "fingerprint"), young)
    clock.time = INTENT.created_at + KEPT + 5
    await Forgetting(database, clock).once()
    rows = await database.query("SELECT key FROM idempotency_keys")
    assert [row["key"] for row in rows] == ["key-2"]


# --- accounts


async def test_an_account_and_its_tokens(database: sql.Database) -> None:
    accounts = SqlAccounts(database)
    account, first = await accounts.open("Ada", "admin", 1.5)
    assert await accounts.account(account.id) == account
    known = await accounts.token(first.id)
    assert known is not None
    assert (known.hash, known.principal.id, known.principal.roles) == (first.hash, account.id, {"admin"})
    second = await accounts.add_token(account.id, "laptop", 2.5)
    assert [token.label for token in await accounts.tokens(account.id)] == ["first", "laptop"]
    assert not await accounts.remove_token("somebody else", second.id)
    assert await accounts.remove_token(account.id, second.id)
    assert await accounts.token(second.id) is None
    for _ in range(2):
        await accounts.erase(account.id)
    assert await accounts.token(first.id) is None
    assert await accounts.account(account.id) is None


async def test_tokens_have_a_limit(database: sql.Database) -> None:
    accounts = SqlAccounts(database)
    account, _ = await accounts.open("Ada", "user", 1.5)
    for _ in range(TOKENS_LIMIT - 1):
        await accounts.add_token(account.id, "", 2.5)
    with pytest.raises(TooManyTokens):
        await accounts.add_token(account.id, "", 2.5)


# --- the rest


async def test_the_audit_log_keeps_the_first_time(database: sql.Database) -> None:
    audit = SqlAuditLog(database)
    for now in (1.5, 2.5):
        await audit.note("delete-link", "abc1234", "delete-token", now)
    assert await database.query("SELECT * FROM audit_log") == [
        {"action": "delete-link", "subject": "abc1234", "actor": "delete-token", "at": 1.5}
    ]


async def test_blocked_hosts(database: sql.Database) -> None:
    hosts = SqlBlockedHosts(database)
    for reason in ("one", "other"):
        await hosts.block(BlockedHost("example.org", reason, 1.5))
    assert await hosts.all() == [BlockedHost("example.org", "other", 1.5)]
    assert await hosts.unblock("example.org")
    assert not await hosts.unblock("example.org")


async def test_what_is_to_be_erased_stays_on_the_list_until_it_is(database: sql.Database) -> None:
    to_erase = ToErase(database)
    for _ in range(2):
        await to_erase.begin("ada", ["a", "b", "c"])
    await to_erase.begin("bob", ["d"])
    await to_erase.end("ada", ["a", "b"])
    assert await to_erase.begun("ada") == ["c"]
    assert await to_erase.begun("bob") == ["d"]


# --- the rate limit


async def test_servers_share_a_bucket(services: Any) -> None:
    clients = [redis_client(services.cache_url, timeout=5.0) for _ in range(3)]
    clock = StandingClock()
    servers = [RateLimit("shorten", client, clock) for client in clients]
    taken = await asyncio.gather(*(servers[n % 3].take("somebody", 10) for n in range(30)))
    assert sum(each.allowed for each in taken) == 10
    assert (await servers[0].take("somebody else", 10)).left == 9
    clock.time += 6
    assert (await servers[1].take("somebody", 10)).allowed
    refused = await servers[2].take("somebody", 10)
    assert (refused.allowed, refused.retry_after) == (False, 6)
    clock.time -= 60  # a server whose clock is behind takes nothing away
    assert not (await servers[2].take("somebody", 10)).allowed
    ttl = await clients[0].pttl("limit:shorten:somebody")
    assert 0 < ttl <= 60_000
    for client in clients:
        await client.aclose()


async def test_without_redis_each_server_has_its_own_bucket(services: Any) -> None:
    client = redis_client("redis://127.0.0.1:1/0", timeout=0.2)
    rate = RateLimit("shorten", client, SystemClock())
    assert [(await rate.take("somebody", 2)).allowed for _ in range(3)] == [True, True, False]
    await client.aclose()
