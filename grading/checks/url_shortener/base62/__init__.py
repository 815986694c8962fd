"""The suite of the slot `url-shortener/base62`: which workload goes to which checker."""

from __future__ import annotations

from pathlib import Path

from grading.checks.url_shortener.base62 import checkers, workloads
from grading.judge.requirement import Scenario, load

SMALL = Scenario(
    "small numbers",
    "Numbers of one to seven digits were encoded.",
    workloads.small_numbers,
    checkers.right_digits,
    every=10,
)
MANY = (
    "many",
    "One server encoded more than a hundred numbers, and decoded as many texts.",
    workloads.many_numbers,
)
MANY_NUMBERS = Scenario(*MANY, checkers.right_digits, every=4)
MANY_TEXTS = Scenario(*MANY, checkers.right_numbers, every=4)
TEXTS = Scenario(
    "texts",
    "Texts of one to eight symbols were decoded, some with zeros on the left.",
    workloads.texts,
    checkers.right_numbers,
    every=7,
)
EDGES = Scenario(
    "edges",
    "0 was encoded, and the numbers round the powers of 62: 61, 62, 63, 3843, 3844, … Then they were decoded again.",
    workloads.edges,
    checkers.right_length,
    every=7,
)
LARGE = Scenario(
    "large numbers",
    "Numbers of 53 to 1,000 bits were encoded, and what came back was decoded again.",
    workloads.large_numbers,
    checkers.read_back,
    every=7,
)
LENGTHS = Scenario(
    "lengths",
    "Numbers were encoded with a length below, at or above the number of their digits.",
    workloads.lengths,
    checkers.padded,
    every=7,
)
NEGATIVE = Scenario(
    "negative numbers",
    "Negative numbers were encoded, and some others.",
    workloads.negative_numbers,
    checkers.refuses_negative,
    every=7,
)
JUNK = Scenario(
    "junk",
    "Texts were decoded that are empty or have a symbol that is not one of the 62, and some that are right.",
    workloads.junk,
    checkers.refuses_junk,
    every=7,
)
ONE_AFTER_ANOTHER = Scenario(
    "one after another",
    "One server was asked right things and wrong ones in turns, each right one twice; another one only the right ones.",
    workloads.one_after_another,
    checkers.same_answers,
    every=7,
)

SCENARIOS = {
    "digits": (SMALL, MANY_NUMBERS),
    "decode": (TEXTS, MANY_TEXTS),
    "length": (EDGES,),
    "exact": (LARGE,),
    "padding": (LENGTHS,),
    "negative": (NEGATIVE,),
    "bad-text": (JUNK,),
    "no-state": (ONE_AFTER_ANOTHER,),
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, checkers.ReadBack)
