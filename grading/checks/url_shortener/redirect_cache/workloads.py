"""What is asked of the component: one function per scenario, from a seed to a plan."""

from __future__ import annotations

from grading.checks.url_shortener.redirect_cache import faults
from grading.checks.url_shortener.redirect_cache.script import Script
from grading.checks.workload import LONG
from grading.judge.plan import Plan

URLS = (
    "https://example.org/?q=a+b&r=%20%2F&empty=",
    "https://example.org/%E4%BD%A0?x=%2520",
    "https://münchen.example/straße?größe=ß",
    "https://例え.example/パス#断片",
    "http://example.org/a;b=c,d/(e)'f'!*~",
    'https://example.org/"quoted"\\back|pipe^{}[]`<>',
    "https://example.org/emoji/😀?z=🧵",
    "HTTP://Example.ORG:80/A/../b/./c//d",
    "https://user:pass@example.org/",
    "https://example.org/long/" + "x" * 1990,
    "https://example.org/e\u0301/\u00e9",
    "https://example.org/null?value=null&list=[1,2]",
    "https://example.org?no-slash",
    "https://example.org/#",
)


MARK_MAX = 15.0
"""Seconds after an invalidation by which a code can be filled again: late commands arrive within 10 s."""


def every_kind_of_code(seed: int) -> Plan:
    """Live, expired and unknown codes, cold, then warm on the same and on another server."""
    s = Script(seed, "answers")
    codes = [s.link(url) for url in s.random.sample(URLS, 5)]
    codes.append(s.link(expires_at=-s.between(1, 1000)))
    codes.append(s.code())
    codes.append(codes[0].swapcase())  # codes are case-sensitive
    for index, code in enumerate(codes):
        server = s.server()
        s.resolve(code, server, 0.1 + 0.001 * index)
        s.resolve(code, s.server(server), 2 + 0.001 * index)
    return s.plan(batch=True)


def a_busy_server(seed: int) -> Plan:
    """Some codes, asked for on one server more than a hundred times, and now and then on another one."""
    s = Script(seed, "busy")
    codes = [
        *(s.link(url) for url in s.random.sample(URLS, 4)),
        s.link(expires_at=-s.between(1, 1000)),
        s.code(),
    ]
    first, second = s.random.sample(range(3), 2)
    for index in range(s.random.randint(*LONG)):
        s.resolve(s.random.choice(codes), second if index % 16 == 15 else first, 0.1 + 0.2 * index)
    return s.plan(batch=True)


def one_code_again_and_again(seed: int) -> Plan:
    """Connections warm; then a miss and hits, each alone: a live link, an expired one, and the live one after an
    invalidation of which nothing may be left but a mark against late commands."""
    s = Script(seed, "hits")
    first, second = s.random.sample(range(3), 2)
    s.resolve(s.link(), first, 0)
    s.resolve(s.link(), second, 0)
    code = s.link()
    s.resolve(code, first, 2, role="miss")
    s.resolve(code, first, 4, role="hit")
    s.resolve(code, second, 6, role="hit")
    dead = s.link(expires_at=-s.between(1, 1000))
    s.resolve(dead, first, 8, role="miss")
    s.resolve(dead, second, 9, role="hit")
    s.resolve(dead, first, 11, role="hit")
    s.invalidate(code, s.server(), 13)
    asks = 13 + MARK_MAX + s.between(0.5, 1)
    s.resolve(code, first, asks, role="miss")
    s.resolve(code, first, asks + 2, role="hit")
    s.resolve(code, second, asks + 4, role="hit")
    return s.plan()


def around_the_expiry(seed: int) -> Plan:
    """A link asked for before and after its expiry, one that is expired already, and one with a moment to live."""
    s = Script(seed, "expiry")
    end = s.between(4, 300)
    link = s.link(expires_at=end)
    dead = s.link(expires_at=-s.between(1, 100))
    brief = s.link(expires_at=s.between(0.3, 0.9))
    first, second = s.random.sample(range(3), 2)
    s.resolve(brief, first, 0.05)
    s.resolve(brief, first, 1.0)
    s.resolve(dead, second, 1.2)
    s.resolve(link, first, 1.5)
    s.resolve(dead, first, 2.7)
    s.resolve(link, second, end - s.between(0.05, 0.8))
    s.resolve(link, first, end + 0.002)
    s.resolve(link, second, end + s.between(0.1, 3))
    s.resolve(link, s.server(first, second), end + 5)
    s.resolve(link, first, end + 8)
    return s.plan(ttl=600.0)


def filled_at_one_moment(seed: int) -> Plan:
    """24 codes filled within a tenth of a second; one of them asked for all the time for longer than ttl."""
    s = Script(seed, "ttl")
    ttl = float(s.random.randrange(400, 1000))
    codes = [s.link() for _ in range(24)]
    for index, code in enumerate(codes):
        s.resolve(code, index % 3, 0.1 + 0.0005 * index)
    s.look("inspect", "look at the keys", 2)
    for share in (0.4, 0.8):
        s.resolve(codes[0], s.server(), share * ttl)
    s.resolve(codes[0], s.server(), ttl + 1, role="after-ttl")
    s.facts.update(popular=codes[0], filled=len(codes))
    return s.plan(ttl=ttl, batch=True)


def unknown_code_again(seed: int) -> Plan:
    """A code that does not exist, asked for again soon, and after more than a minute."""
    s = Script(seed, "negative")
    code = s.code()
    s.resolve(code, s.server(), 0)
    s.resolve(code, s.server(), 2, role="again")
    for at in (s.between(20, 35), s.between(45, 58), 61.5, 70):
        s.resolve(code, s.server(), at)
    return s.plan()


def created_after_it_was_asked_for(seed: int) -> Plan:
    """Unknown on two servers; created, and invalidated on one of the three; then asked for on all."""
    s = Script(seed, "new-link")
    code = s.code()
    first, second = s.random.sample(range(3), 2)
    s.resolve(code, first, 0)
    s.resolve(code, second, 1.2)
    created = s.put(code, s.between(2.5, 4))
    told = s.invalidate(code, s.server(), 0.001, created)
    s.resolve(code, s.server(), 0.2, told)
    for server in s.random.sample(range(3), 3):
        s.resolve(code, server, 2.0 + s.between(0.001, 0.5), told)
    return s.plan()


def all_at_once(seed: int) -> Plan:
    """Many callers for one cold code on one server; then for an unknown one on another."""
    s = Script(seed, "single-flight")
    first, second = s.random.sample(range(3), 2)
    s.resolve(s.link(), first, 0)
    for code, server, at in ((s.link(), first, 2.0), (s.code(), second, 4.0)):
        for _ in range(s.random.randint(4, 7)):
            s.resolve(code, server, at)
    s.facts["from"] = 1.9
    return s.plan(faults.store_is_slow(0, 10, s.between(0.01, 0.2)))


def cache_away(seed: int) -> Plan:
    """The cache fails twice, in two ways, under warm, cold and unknown codes, and comes back."""
    s = Script(seed, "cache-away")
    modes = faults.CACHE_MODES[seed % 3], faults.CACHE_MODES[seed % 3 + 3]
    warm, cold, other = s.link(), s.link(), s.link()
    s.resolve(warm, 0, 0.5)
    s.resolve(warm, 1, 1.0)
    s.resolve(warm, s.random.randrange(2), 3.1)
    s.resolve(cold, s.server(), 3.5)
    server = s.server()
    s.resolve(s.code(), server, 12.0)
    for _ in range(3):
        s.resolve(other, server, 14.0)
    fresh = s.link()
    s.resolve(fresh, server, 80, role="after-1")
    s.resolve(fresh, s.server(), 82, role="after-2")
    s.resolve(cold, s.server(), 84)
    windows = zip(modes, (3, 11), (8, 17), strict=True)
    return s.plan(*(faults.cache_fails(mode, a, b, delay=_delay(s, mode)) for mode, a, b in windows))


def _delay(s: Script, mode: str) -> float:
    return s.between(0.1, 0.2) if mode == "slow" else s.between(1, 9.5)


def cache_fails_midway(seed: int) -> Plan:
    """The first one or two commands go well, the next do not."""
    s = Script(seed, "cache-midway")
    mode = faults.CACHE_MODES[seed % 4]
    server = s.server()
    s.resolve(s.link(), server, 0.5)
    cold = s.link()
    s.resolve(cold, server, 3.1)
    s.resolve(cold, server, 5.5)
    s.resolve(s.code(), server, 6.5)
    fresh = s.link()
    s.resolve(fresh, server, 70, role="after-1")
    s.resolve(fresh, s.server(server), 72, role="after-2")
    s.resolve(cold, s.server(), 74)
    return s.plan(faults.cache_fails(mode, 3, 9, skip=s.random.randint(1, 2)))


def store_away(seed: int) -> Plan:
    """The store fails under cold codes, one caller and several; afterwards the same codes are asked for again."""
    s = Script(seed, "store-failure")
    mode = ("unavailable", "timeout")[seed % 2]
    link, shared = s.link(), s.link()
    first, second = s.random.sample(range(3), 2)
    s.resolve(link, first, 1.1)
    for _ in range(2):
        s.resolve(shared, second, 2.5)
    s.resolve(link, first, 6.2)
    s.resolve(link, second, 6.4)
    s.resolve(shared, second, 6.6)
    s.resolve(shared, s.server(second), 6.8)
    return s.plan(faults.store_fails(mode, 1, 6))


def deleted_while_warm(seed: int) -> Plan:
    """Warm on all servers; deleted; asked for on all from two seconds after the acknowledgement on."""
    s = Script(seed, "deletion-warm")
    code = s.link()
    for server in range(3):
        s.resolve(code, server, 0.5 + 1.2 * server)
    gone = s.delete(code, s.between(4, 6))
    told = s.invalidate(code, s.server(), 0.001, gone)
    for server in s.random.sample(range(3), 3):
        s.resolve(code, server, 2.0 + s.between(0.001, 0.9), told)
    s.resolve(code, s.server(), s.between(5, 60), told)
    return s.plan()


def deleted_during_a_fill(seed: int) -> Plan:
    """One server has read the row and waits for the answer, while another deletes the link."""
    s = Script(seed, "deletion-fill")
    code = s.link()
    filling, deleting = s.random.sample(range(3), 2)
    delay = s.between(0.1, 1.5)
    s.resolve(code, filling, 1.0)
    gone = s.delete(code, 1.0 + s.between(0.02, 0.9 * delay))
    told = s.invalidate(code, s.random.choice([deleting, filling]), 0.001, gone)
    for number, server in enumerate(s.random.sample(range(3), 3)):
        s.resolve(code, server, 2.0 + s.between(0.001, 0.5) + number, told)
    return s.plan(faults.store_is_slow(0.9, 1.05, delay, filling))


def deleted_before_a_late_fill(seed: int) -> Plan:
    """A fill is under way for seconds, its client having given up; meanwhile the link is deleted elsewhere."""
    s = Script(seed, "deletion-late")
    code = s.link()
    filling, deleting = s.random.sample(range(3), 2)
    delay = s.between(3, 9.5)
    s.resolve(code, filling, 1.0)
    gone = s.delete(code, s.between(1.1, 1.9))
    told = s.invalidate(code, deleting, 0.001, gone)
    for server in s.random.sample(range(3), 2):
        s.resolve(code, server, delay + s.between(0.3, 2), told)
    return s.plan(faults.fill_comes_late(filling, 0.9, 1.09, delay))


def deleted_during_a_long_look_up(seed: int) -> Plan:
    """One server's query has read the row and takes five seconds; who comes after the deletion must not join it."""
    s = Script(seed, "deletion-long")
    code = s.link()
    asking, deleting = s.random.sample(range(3), 2)
    s.resolve(code, asking, 1.0)
    gone = s.delete(code, s.between(1.1, 1.6))
    told = s.invalidate(code, deleting, 0.001, gone)
    s.resolve(code, asking, 2.0 + s.between(0.001, 0.3), told)
    s.resolve(code, deleting, 4 + s.between(0.1, 2), told)
    return s.plan(faults.store_is_slow(0.9, 1.05, 5.0, asking))


def deleted_while_the_cache_is_away(seed: int) -> Plan:
    """Warm; the cache fails; deleted. If invalidate claims success, nobody may redirect once the cache is back."""
    s = Script(seed, "deletion-away")
    code = s.link()
    mode = ("refuse", "error", "silent")[seed % 3]
    s.resolve(code, 0, 0.5)
    s.resolve(code, 1, 1.0)
    gone = s.delete(code, s.between(3.2, 4))
    told = s.invalidate(code, s.random.randrange(2), 0.001, gone)
    for server in range(2):
        s.resolve(code, server, 5.0 + server, told)
    again = s.invalidate(code, 2, 12)
    s.resolve(code, s.random.randrange(2), 2.0 + s.between(0.001, 0.5), again)
    return s.plan(faults.cache_fails(mode, 3, 6))


def one_of_several_leaves(seed: int) -> Plan:
    """Four callers wait for one cold code; the first is cancelled, now and then another as well."""
    s = Script(seed, "cancellation-one")
    code = s.link()
    server = 0
    s.resolve(s.link(), server, 0)
    names = [s.resolve(code, server, 2.0) for _ in range(4)]
    delay = s.between(0.02, 0.2)
    s.cancel(names[0], 2.0 + s.between(0.0003, delay))
    if seed % 4 == 0:
        s.cancel(s.random.choice(names[1:]), 2.0 + s.between(0.0003, delay))
    s.resolve(code, server, 5)
    s.facts.update(code=code, server=server)
    return s.plan(faults.store_is_slow(1.5, 3, delay), servers=1)


def all_leave(seed: int) -> Plan:
    """Two callers wait for one cold code, both are cancelled; somebody comes at once, somebody later."""
    s = Script(seed, "cancellation-all")
    code = s.link()
    server = 0
    delay = s.between(0.02, 0.2)
    s.resolve(s.link(), server, 0)
    left = 2.0 + s.between(0.0003, delay)
    for _ in range(2):
        s.cancel(s.resolve(code, server, 2.0), left)
    s.resolve(code, server, left + s.between(0.001, 0.01))
    s.resolve(code, server, 5)
    s.facts.update(code=code, server=server)
    return s.plan(faults.store_is_slow(1.5, 3, delay), servers=1)


WARM, PER_ROUND, TOGETHER = 260, 160, 20


def hundreds_of_codes(seed: int) -> Plan:
    """Many different codes, known and unknown, some deleted, twenty at a time; the memory is weighed in between."""
    s = Script(seed, "bounded-state")
    for index in range(WARM + PER_ROUND):
        code = s.link() if index % 2 else s.code()
        at = (1 if index < WARM else 100) + 0.2 * (index // TOGETHER)
        s.resolve(code, 0, at)
        if index % 4 == 0:
            s.invalidate(code, 0, at + 0.1)
    s.look("weigh", "before", 90)
    s.look("weigh", "after", 190)
    return s.plan(servers=1, batch=True)
