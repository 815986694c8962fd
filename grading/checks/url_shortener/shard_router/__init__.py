"""The suite of the slot `url-shortener/shard-router`: which workload goes to which checker."""

from __future__ import annotations

from pathlib import Path

from grading.checks.pure import Nothing
from grading.checks.url_shortener.shard_router import checkers, workloads
from grading.judge.requirement import Scenario, load

ALL_KINDS = Scenario(
    "codes of all kinds",
    "Routers with one, with a few and with twelve shards, and with shards of other names, were asked for codes and "
    "aliases of all lengths.",
    workloads.codes_of_all_kinds,
    checkers.one_of_them,
    every=10,
)
DIFFERENT_ORDERS = Scenario(
    "different orders",
    "Three servers with the same shards were asked the same codes, each in another order, one of them twice.",
    workloads.in_different_orders,
    checkers.agreed,
    every=7,
)
ANOTHER_PROCESS = Scenario(
    "another process",
    "Two routers with the same shards, in two Python processes, were asked the same codes in the same order.",
    workloads.some_codes,
    checkers.agreed_elsewhere,
    every=7,
    elsewhere=True,
)
MANY_CODES = Scenario(
    "many codes",
    "A router with 4 shards, and one with 10, were asked for many random codes, and the codes on each shard counted.",
    workloads.many_codes,
    checkers.even,
    every=10,
)
IN_A_ROW = Scenario(
    "in a row",
    "300 codes that follow each other were asked for, with 4 shards, and the codes on each shard counted.",
    workloads.in_a_row,
    checkers.even,
    every=6,
)
SAME_BEGINNING = Scenario(
    "same beginning",
    "300 codes that begin with the same symbols were asked for, with 4 shards, and the codes on each shard counted.",
    workloads.same_beginning,
    checkers.even,
    every=6,
)
SAME_END = Scenario(
    "same end",
    "300 codes that differ in their first two symbols alone were asked for, with 4 shards, and the codes on each "
    "shard counted.",
    workloads.same_end,
    checkers.even,
    every=6,
)
SAME_SYMBOLS = Scenario(
    "same symbols",
    "300 codes that consist of the same seven symbols, each in another order, were asked for, with 4 shards, and the "
    "codes on each shard counted.",
    workloads.same_symbols,
    checkers.even,
    every=6,
)
THREE_AND_FOUR = Scenario(
    "three and four",
    "The same codes were asked of a router with 3 shards and of one with 4, and those counted that changed shards.",
    workloads.three_and_four,
    checkers.few_move,
    every=10,
)
NINE_AND_TEN = Scenario(
    "nine and ten",
    "The same codes were asked of a router with 9 shards and of one with 10, and those counted that changed shards.",
    workloads.nine_and_ten,
    checkers.few_move,
    every=6,
)
WHERE_TO = Scenario(
    "where to",
    "The same codes were asked of a router with 3 shards and of one with 4, and looked at where they moved.",
    workloads.three_and_four_shorter,
    checkers.to_the_new_one,
    every=7,
)

SCENARIOS = {
    "one-of-them": (ALL_KINDS,),
    "pure": (DIFFERENT_ORDERS,),
    "every-process": (ANOTHER_PROCESS,),
    "even": (MANY_CODES,),
    "alike": (IN_A_ROW, SAME_BEGINNING, SAME_END, SAME_SYMBOLS),
    "few-move": (THREE_AND_FOUR, NINE_AND_TEN),
    "to-the-new-one": (WHERE_TO,),
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, Nothing)
