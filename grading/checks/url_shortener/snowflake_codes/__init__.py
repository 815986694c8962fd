"""The suite of the slot `url-shortener/snowflake-codes`: which workload, under which faults, goes to which checker."""

from __future__ import annotations

from pathlib import Path

from grading.checks.url_shortener.snowflake_codes import checkers, workloads
from grading.checks.url_shortener.snowflake_codes.world import World
from grading.judge.requirement import Scenario, load

SOME = Scenario(
    "some codes",
    "Codes were asked for, and their symbols counted.",
    workloads.some_codes,
    checkers.well_formed,
)
MANY_FORMS = Scenario(
    "many forms",
    f"{workloads.MANY} codes were asked for, and their symbols counted.",
    workloads.many_codes,
    checkers.well_formed,
    every=8,
)
ALIASES = Scenario(
    "aliases",
    "Somebody had chosen some of the codes for an alias: up to four in a row, some of them just before the claim.",
    workloads.aliases,
    checkers.own_codes_past_aliases,
    every=7,
)
AT_ONCE = Scenario(
    "at once",
    "Two servers were asked for codes at the same moments, each by several callers.",
    workloads.servers_at_once,
    checkers.none_twice,
    every=7,
)
DAYS_LATER = Scenario(
    "days later",
    "A server made some codes; its clock was set forward by six days, and it made some more.",
    workloads.days_later,
    checkers.none_twice_days_later,
    every=4,
)
BURST = Scenario(
    "burst",
    f"{workloads.BURST} codes were asked of each of two servers within a second, in a layout with a sequence of 128; "
    "their worker numbers were neighbours.",
    workloads.burst,
    checkers.none_twice,
    every=10,
)
CLOCK_BACK = Scenario(
    "clock back",
    "A server's clock was set back while it worked: by a second, by a few more, by an hour; then it was set right.",
    workloads.clock_steps_back,
    checkers.not_followed_back,
    every=7,
)
TAKEN_OVER = Scenario(
    "taken over",
    "A server died in the middle of its work, or the lease table failed under it. After its lease had run out, it was "
    "started again on a machine whose clock was behind: it showed the seconds of the first life once more.",
    workloads.taken_over,
    checkers.begins_after_the_floor,
)
NOT_RENEWED = Scenario(
    "renewals time out",
    "Renewals of a lease timed out, and had not happened. After the lease had run out, the server was started again on "
    "a machine whose clock was behind: it showed the seconds of the first life once more.",
    workloads.renewals_time_out,
    checkers.begins_after_the_floor,
    every=10,
)
LEASE_LOST = Scenario(
    "lease lost",
    "app-1 could not reach the lease table for 35 s. Its lease ran out; app-2 was started, took its "
    "worker number, and both were asked for codes.",
    workloads.lease_is_lost,
    checkers.obeys_a_lost_lease,
    every=7,
)
NONE_FREE = Scenario(
    "none free",
    "Two servers had to do with one worker number; later the one that held it died.",
    workloads.none_is_free,
    checkers.says_unavailable,
    every=7,
)
LEASES_FAIL = Scenario(
    "leases fail",
    "The lease table failed when the server asked for a worker number, or to reserve its first moments.",
    workloads.leases_fail,
    checkers.says_unavailable,
    every=2,
)
CALLERS_LEAVE = Scenario(
    "callers leave",
    "Several callers waited for the lease table, which was slow. The first of them was cancelled, and then another.",
    workloads.callers_leave,
    checkers.none_twice,
    every=7,
)
NEIGHBOURS = Scenario(
    "neighbours",
    f"{workloads.NEIGHBOURS} codes were asked for one after another, and compared.",
    workloads.neighbours,
    checkers.unlike,
    every=7,
)
TWO_KEYS = Scenario(
    "two keys",
    "Two installations with different keys made codes at the same moments, with the same worker number.",
    workloads.two_keys,
    checkers.by_the_key,
    every=7,
    why="Who installs this software for himself knows which codes all others make.",
    read_next="What is secret here? Let `key` decide where each number goes.",
)
STEADY = Scenario(
    "steady",
    f"{workloads.GROUPS * workloads.TOGETHER} codes were asked of one server in 8 s, and its questions counted.",
    workloads.steady,
    checkers.cheap,
    every=7,
)

SCENARIOS = {
    "form": (SOME, MANY_FORMS),
    "claimed": (ALIASES,),
    "unique": (AT_ONCE, DAYS_LATER),
    "burst": (BURST,),
    "clock-back": (CLOCK_BACK,),
    "takeover": (TAKEN_OVER, NOT_RENEWED),
    "lease-lost": (LEASE_LOST,),
    "no-number": (NONE_FREE, LEASES_FAIL),
    "cancellation": (CALLERS_LEAVE,),
    "not-guessable": (NEIGHBOURS, TWO_KEYS),
    "cost": (STEADY,),
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, World)
