"""The suite of the slot `url-shortener/key-pool`: which workload, under which faults, goes to which checker."""

from __future__ import annotations

from pathlib import Path

from grading.checks.url_shortener.key_pool import filling, handing_out, workloads
from grading.checks.url_shortener.key_pool.world import World
from grading.judge.requirement import Scenario, load

MADE_AND_HANDED_OUT = Scenario(
    "made and handed out",
    "A generator filled an empty pool, and two servers handed codes out.",
    workloads.made_and_handed_out,
    handing_out.well_formed,
    every=4,
)
ALIASES = Scenario(
    "aliases in the way",
    "Three servers handed codes out of a pool in which nearly half the codes were somebody's aliases by then.",
    workloads.aliases_in_the_way,
    handing_out.own_codes,
    every=2,
)
THREE_SERVERS = Scenario(
    "three servers at once",
    "Callers on three servers asked at the same moment, and the pool had hardly enough for all.",
    workloads.three_servers_at_once,
    handing_out.once,
    every=7,
)
A_LONG_SHIFT = Scenario(
    "a long shift",
    "More than a hundred callers asked one server, one after the other, and a few asked another one.",
    workloads.a_long_shift,
    handing_out.once,
    every=10,
)
ANSWERS_LOST = Scenario(
    "answers are lost",
    "Two servers handed codes out while the pool failed under some of their commands; it came back, and they went on.",
    workloads.answers_are_lost,
    handing_out.once_under_faults,
    every=2,
)
ONE_AFTER_THE_OTHER = Scenario(
    "one after the other",
    "Callers asked one server, one after the other, and the round trips to the pool were counted.",
    workloads.one_after_the_other,
    handing_out.in_batches,
    every=7,
)
A_BURST = Scenario(
    "a burst",
    "Many callers asked one server at the same moment, when it had no codes; later some more did.",
    workloads.a_burst,
    handing_out.in_batches,
    every=7,
)
A_SERVER_DIES = Scenario(
    "a server dies",
    "A server that handed codes out was killed, and started again with nothing in memory.",
    workloads.a_server_dies,
    handing_out.cheap_crash,
    every=2,
)
THE_BATCH_IS_LEFT = Scenario(
    "the batch is left",
    "A server took a batch and handed one code out; then the pool was away, and callers asked for the rest of it.",
    workloads.the_batch_is_left,
    handing_out.goes_on,
    every=7,
)
DRY = Scenario(
    "the pool is dry",
    "More callers asked than there were codes; later there were enough again.",
    workloads.the_pool_is_dry,
    handing_out.runs_dry,
    every=7,
)
AWAY = Scenario(
    "the pool is away",
    "The pool was away before anybody had a batch; later it was back.",
    workloads.the_pool_is_away,
    handing_out.runs_dry,
    every=7,
)
STORE_FAILS = Scenario(
    "store fails",
    "The store failed under some of the claims, and came back.",
    workloads.store_fails,
    handing_out.nothing_lost,
)
CALLERS_LEAVE = Scenario(
    "callers leave",
    "Several callers waited on one server for a batch, or for their claims; some of them were cancelled meanwhile.",
    workloads.callers_leave,
    handing_out.undisturbed,
    every=7,
)
LEVELS = Scenario(
    "levels",
    "A generator was asked while the pool was empty, just below its mark, at the mark, and above it.",
    workloads.levels,
    filling.fills_up,
    every=7,
)
FILLING_FAILS = Scenario(
    "filling fails",
    "The pool failed while a generator filled it; another time the ranges did; then all was well.",
    workloads.filling_fails,
    filling.tells_the_truth,
    why="A generator that hides its failure lets the pool run dry without an alarm: whoever watches it sees nothing.",
    every=2,
)
DRAWN_AND_FILLED = Scenario(
    "drawn and filled",
    "Two generators filled the pool in turn and once at the same moment, while others took codes out.",
    workloads.drawn_and_filled,
    filling.never_again,
    every=7,
)
FILLINGS_LOST = Scenario(
    "answers to fillings are lost",
    "A generator's additions were done without an answer, or seconds late, while others took codes out.",
    workloads.answers_to_fillings_are_lost,
    filling.never_again_under_faults,
    every=2,
)
GENERATORS_DIE = Scenario(
    "generators die",
    "Two generators were killed at moments at which they sent something, while others took codes out.",
    workloads.generators_die,
    filling.never_again_under_faults,
    every=7,
)
SAME_NUMBERS = Scenario(
    "same numbers",
    "Generators got the same numbers, each in a world of its own; in between the pool was emptied.",
    workloads.same_numbers,
    filling.one_code_a_number,
    every=7,
    why="If two servers make different codes of one number, nothing keeps them from making one code of two numbers.",
)
SAME_NUMBERS_AND_KEYS = Scenario(
    "same numbers, another key",
    "Three generators got the same consecutive numbers, each in a world of its own; the third one had another key.",
    workloads.same_numbers,
    filling.not_guessable,
    every=7,
)

SCENARIOS = {
    "form": (MADE_AND_HANDED_OUT,),
    "claimed": (ALIASES,),
    "once": (THREE_SERVERS, ANSWERS_LOST, A_LONG_SHIFT),
    "batches": (ONE_AFTER_THE_OTHER, A_BURST),
    "crash": (A_SERVER_DIES,),
    "pool-away": (THE_BATCH_IS_LEFT,),
    "dry": (DRY, AWAY),
    "store-failure": (STORE_FAILS,),
    "cancellation": (CALLERS_LEAVE,),
    "fills-up": (LEVELS, FILLING_FAILS),
    "never-again": (DRAWN_AND_FILLED, FILLINGS_LOST, GENERATORS_DIE, SAME_NUMBERS),
    "not-guessable": (SAME_NUMBERS_AND_KEYS,),
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, World)
