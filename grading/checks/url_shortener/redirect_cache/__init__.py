"""The suite of the slot `url-shortener/redirect-cache`: which workload, under which faults, goes to which checker."""

from __future__ import annotations

from pathlib import Path

from grading.checks.url_shortener.redirect_cache import checkers, workloads
from grading.checks.url_shortener.redirect_cache.answers import DELETION_BOUND
from grading.checks.url_shortener.redirect_cache.store import LinkStore
from grading.judge.requirement import Scenario, load

BOUND = f"{DELETION_BOUND:g} s"

EVERY_KIND = Scenario(
    "every kind of code",
    "Live links with awkward URLs, an expired one and unknown codes were asked for twice, on different servers.",
    workloads.every_kind_of_code,
    checkers.right_answers,
    every=10,
)
A_BUSY_SERVER = Scenario(
    "a busy server",
    "Live links, an expired one and an unknown code were asked for more than a hundred times on one server.",
    workloads.a_busy_server,
    checkers.right_answers,
    every=10,
)
AGAIN_AND_AGAIN = Scenario(
    "again and again",
    "A live code and an expired one were asked for three times, each time alone, and the live one three times more "
    f"from {workloads.MARK_MAX:g} s after an invalidation on; what went to cache and store was counted.",
    workloads.one_code_again_and_again,
    checkers.cheap_hits,
    every=10,
)
AROUND_THE_EXPIRY = Scenario(
    "around the expiry",
    "A link was asked for before and after its expiry, on warm and cold servers; so were one that had expired "
    "long before and one with less than a second to live.",
    workloads.around_the_expiry,
    checkers.right_answers,
    every=10,
)
FILLED_AT_ONE_MOMENT = Scenario(
    "filled at one moment",
    "24 codes were filled within a tenth of a second and the keys in the cache looked at; one of the codes was "
    "asked for until more than ttl had passed.",
    workloads.filled_at_one_moment,
    checkers.bounded_and_spread,
    every=10,
)
UNKNOWN_AGAIN = Scenario(
    "unknown again",
    "A code that does not exist was asked for again two seconds later, and until more than a minute had passed.",
    workloads.unknown_code_again,
    checkers.remembered_for_a_minute,
    every=7,
)
ASKED_TOO_EARLY = Scenario(
    "asked too early",
    "A code was asked for while it did not exist; then the link was created and invalidate called; two seconds "
    "later all servers were asked.",
    workloads.created_after_it_was_asked_for,
    checkers.live_on_all_servers,
    every=7,
)
ALL_AT_ONCE = Scenario(
    "all at once",
    "Several callers asked one server for the same cold code at the same moment.",
    workloads.all_at_once,
    checkers.one_query_per_code,
    every=7,
)
CACHE_AWAY = Scenario(
    "cache away",
    "The cache failed twice, while warm, cold and unknown codes were asked for, and came back.",
    workloads.cache_away,
    checkers.right_without_the_cache,
    every=7,
)
CACHE_FAILS_MIDWAY = Scenario(
    "cache fails midway",
    "The cache took the first commands and then failed, in the middle of a look-up; later it came back.",
    workloads.cache_fails_midway,
    checkers.right_without_the_cache,
    every=7,
)
STORE_AWAY = Scenario(
    "store away",
    "The store failed while cold codes were asked for; when it was back, the same codes were asked for again.",
    workloads.store_away,
    checkers.error_and_then_right,
    every=7,
)
DELETED_WHILE_WARM = Scenario(
    "deleted while warm",
    "A link that was warm on all servers was deleted and invalidated; two seconds later all were asked.",
    workloads.deleted_while_warm,
    checkers.gone_from_a_warm_cache,
    every=7,
    read_next="Where else than in Redis may a server remember the link, and for how long? invalidate runs on one "
    f"server only, and the others must have forgotten {BOUND} later.",
)
DELETED_DURING_A_FILL = Scenario(
    "deleted during a fill",
    "A link was deleted while a server had read its row but not yet filled the cache.",
    workloads.deleted_during_a_fill,
    checkers.gone_for_good,
    every=2,
)
DELETED_BEFORE_A_LATE_FILL = Scenario(
    "deleted before a late fill",
    "A fill was on its way to the cache for seconds, its client having given up; meanwhile the link was deleted.",
    workloads.deleted_before_a_late_fill,
    checkers.gone_for_good,
    every=2,
)
DELETED_DURING_A_LONG_LOOK_UP = Scenario(
    "deleted during a long look-up",
    "A query that had read the row took five seconds; meanwhile the link was deleted, and others asked for it.",
    workloads.deleted_during_a_long_look_up,
    checkers.gone_for_good,
    every=2,
    why="While one slow query is under way, everybody who joins it gets what it read seconds ago: a link that is gone.",
    read_next=f"How old may a look-up be that a new caller joins? DELETION_BOUND is {BOUND}: who comes later than that "
    "after it began needs a look-up of his own. The server on which invalidate runs can forget the flight at once.",
)
DELETED_WITHOUT_THE_CACHE = Scenario(
    "deleted without the cache",
    "A warm link was deleted while the cache failed; when the cache was back, the servers were asked.",
    workloads.deleted_while_the_cache_is_away,
    checkers.gone_for_good,
    every=7,
    why="The owner was told that the link is gone, and it redirects as soon as the cache is back.",
    read_next="If the cache did not confirm the invalidation, the old entry may still lie in it: let invalidate raise "
    "the RedisError, and the service asks the owner to try again.",
)
ONE_LEAVES = Scenario(
    "one leaves",
    "Four callers waited for one cold code on one server, and the first of them was cancelled.",
    workloads.one_of_several_leaves,
    checkers.others_unharmed,
    every=7,
)
ALL_LEAVE = Scenario(
    "all leave",
    "Two callers waited for one cold code, both were cancelled, and others came after them.",
    workloads.all_leave,
    checkers.others_unharmed,
    every=7,
)
MANY_CODES = Scenario(
    "many codes",
    f"{workloads.WARM} codes were asked for and the memory weighed; then {workloads.PER_ROUND} others were asked for, "
    "and it was weighed again.",
    workloads.hundreds_of_codes,
    checkers.memory_stays,
    every=1000,
)

SCENARIOS = {
    "answers": (EVERY_KIND, A_BUSY_SERVER),
    "hits": (AGAIN_AND_AGAIN,),
    "expiry": (AROUND_THE_EXPIRY,),
    "ttl": (FILLED_AT_ONE_MOMENT,),
    "negative": (UNKNOWN_AGAIN,),
    "new-link": (ASKED_TOO_EARLY,),
    "single-flight": (ALL_AT_ONCE,),
    "cache-failure": (CACHE_AWAY, CACHE_FAILS_MIDWAY),
    "store-failure": (STORE_AWAY,),
    "deletion": (
        DELETED_WHILE_WARM,
        DELETED_DURING_A_FILL,
        DELETED_BEFORE_A_LATE_FILL,
        DELETED_DURING_A_LONG_LOOK_UP,
        DELETED_WITHOUT_THE_CACHE,
    ),
    "cancellation": (ONE_LEAVES, ALL_LEAVE),
    "bounded-state": (MANY_CODES,),
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, lambda plan: LinkStore(plan.rows))
