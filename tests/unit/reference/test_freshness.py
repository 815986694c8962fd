"""The table of RFC 9111, as far as the edge goes: what may be kept, how long, and for whom."""

import asyncio

import pytest

from reference.platform.edge_cache import EdgeCache
from reference.platform.freshness import directives, lifetime, may_answer, wants_fresh
from reference.platform.http1 import Headers, RequestHead, ResponseHead

pytestmark = pytest.mark.anyio


def answer(status: int = 302, **headers: str) -> ResponseHead:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return ResponseHead(b"HTTP/1.1 %d X" % status, fields, dict(fields), status, 1)


def request(method: str = "GET", **headers: str) -> RequestHead:
    fields: Headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return RequestHead(b"", fields, dict(fields), method.encode(), b"/x", 1)


@pytest.mark.parametrize(
    ("cache_control", "kept"),
    [
        ("max-age=60", 60),
        ("Max-Age=60", 60),
        ("public, max-age=60", 60),
        ("max-age=60, s-maxage=5", 5),
        ("s-maxage=5, max-age=60", 5),
        ("s-maxage=0, max-age=60", 0),
        ('max-age="60"', 60),
        ("max-age=60, max-age=5", 60),
        ("max-age=0", 0),
        ("max-age=-1", 0),
        ("max-age=many", 0),
        ("max-age", 0),
        ("max-age=99999999999", 31_536_000),
        ("max-age=99999999999999999999999", 0),
        ("no-store", 0),
        ("NO-STORE, max-age=60", 0),
        ("private, max-age=60", 0),
        ('private="set-cookie", max-age=60', 0),
        ("no-cache, max-age=60", 0),
        ("public", 0),
        ("must-revalidate, max-age=60", 60),
        ("unknown=1, max-age=60", 60),
        ('extension="no-store, private", max-age=60', 60),
        ("", 0),
    ],
)
def test_cache_control_says_how_long(cache_control: str, kept: float) -> None:
    assert lifetime(answer(cache_control=cache_control)) == kept


@pytest.mark.parametrize(
    ("status", "kept"), [(200, 60), (301, 60), (302, 60), (404, 0), (410, 0), (307, 0), (500, 0), (503, 0)]
)
def test_only_these_statuses_are_kept(status: int, kept: float) -> None:
    assert lifetime(answer(status, cache_control="max-age=60")) == kept


def test_what_was_in_a_cache_before_is_older() -> None:
    assert lifetime(answer(cache_control="max-age=60", age="50")) == 10
    assert lifetime(answer(cache_control="max-age=60", age="61")) == 0


@pytest.mark.parametrize("headers", [{"vary": "Accept"}, {"vary": "*"}, {"set_cookie": "a=b"}, {}])
def test_what_is_for_one_client_or_has_no_age_is_not_kept(headers: dict[str, str]) -> None:
    with_age = headers | {"cache_control": "max-age=60"} if headers else {}
    assert lifetime(answer(**with_age)) == 0


def test_a_ttl_for_redirects_overrides_what_they_say() -> None:
    assert lifetime(answer(302, cache_control="no-store"), redirect_ttl=30) == 30
    assert lifetime(answer(301, cache_control="max-age=60"), redirect_ttl=30) == 30
    assert lifetime(answer(200, cache_control="no-store"), redirect_ttl=30) == 0
    assert lifetime(answer(404), redirect_ttl=30) == 0
    assert lifetime(answer(302, set_cookie="a=b"), redirect_ttl=30) == 0


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        (request(), True),
        (request("HEAD"), True),
        (request("POST"), False),
        (request("OPTIONS"), False),
        (request(authorization="Bearer x"), False),
        (request(range="bytes=0-1"), False),
        (request(cache_control="no-store"), False),
        (request(cache_control="no-cache"), True),
        (request(content_length="3"), False),
        (request(connection="upgrade", upgrade="websocket"), False),
        (request(cookie="a=b"), True),
    ],
)
def test_which_requests_may_be_answered_from_memory(asked: RequestHead, may: bool) -> None:
    assert may_answer(asked) is may


@pytest.mark.parametrize(
    ("asked", "fresh"),
    [
        (request(), False),
        (request(cache_control="no-cache"), True),
        (request(cache_control="max-age=0"), True),
        (request(cache_control="max-age=60"), False),
        (request(pragma="no-cache"), True),
    ],
)
def test_which_requests_want_a_fresh_answer(asked: RequestHead, fresh: bool) -> None:
    assert wants_fresh(asked) is fresh


def test_a_name_inside_an_argument_is_no_directive() -> None:
    assert directives(b'a="b, no-store=\\"x\\"", max-age=1') == {
        b"a": b'b, no-store=\\"x\\"',
        b"max-age": b"1",
    }


# --- the memory


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


A, B, C = ((b"host", path) for path in (b"/a", b"/b", b"/c"))


def test_the_least_recently_used_goes_first() -> None:
    cache = EdgeCache(Time(), entries=2)
    for key in (A, B):
        cache.put(key, answer(), b"", 10, generation=0)
    assert cache.get(A)
    cache.put(C, answer(), b"", 10, generation=0)
    assert cache.get(A)
    assert cache.get(B) is None
    assert len(cache) == 2


def test_bytes_are_bounded_and_counted() -> None:
    cache = EdgeCache(Time(), bytes=5000)
    for number in range(100):
        cache.put((b"host", b"%d" % number), answer(), b"x" * 500, 10, generation=0)
    assert len(cache) == 3
    assert cache.size <= 5000
    cache.purge()
    assert (len(cache), cache.size) == (0, 0)


def test_stale_is_gone_and_age_is_told() -> None:
    time = Time()
    cache = EdgeCache(time)
    cache.put(A, answer(age="3"), b"", 10, generation=0)
    time.now += 4.5
    found = cache.get(A)
    assert found is not None
    assert found.age(time.now) == 7
    time.now += 5.5
    assert cache.get(A) is None
    assert cache.size == 0


def test_that_an_answer_is_not_kept_is_known_for_a_while() -> None:
    time = Time()
    cache = EdgeCache(time)
    cache.put(A, answer(), b"", 0, generation=0)
    found = cache.get(A)
    assert found is not None
    assert found.head is None
    time.now += 10
    assert cache.get(A) is None


def test_what_was_asked_before_a_purge_is_not_kept_after_it() -> None:
    cache = EdgeCache(Time())
    before = cache.generation
    cache.purge()
    cache.put(A, answer(), b"", 10, generation=before)
    assert cache.get(A) is None


async def test_of_many_that_miss_one_has_the_turn() -> None:
    cache = EdgeCache(Time())
    assert await cache.turn(A)
    waiting = [asyncio.create_task(cache.turn(A)) for _ in range(3)]
    assert await cache.turn(B)
    await asyncio.sleep(0)
    waiting[0].cancel()  # one that gives up takes nobody with it
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting[1:])
    cache.landed(A)
    assert await asyncio.gather(*waiting[1:]) == [False, False]
    assert await cache.turn(A)
