"""The suite of the slot `url-shortener/hash-codes`: which workload, under which faults, goes to which checker."""

from __future__ import annotations

from pathlib import Path

from grading.checks.url_shortener.codes import Namespace
from grading.checks.url_shortener.hash_codes import checkers, workloads
from grading.judge.requirement import Scenario, load

AWKWARD_URLS = Scenario(
    "awkward URLs",
    "Links were made for URLs of every kind: long ones, with percent signs, in other scripts.",
    workloads.awkward_urls,
    checkers.well_formed,
    every=4,
)
MANY_AT_ONCE = Scenario(
    "many at once",
    "Several callers on all servers asked for codes at one moment, some of them for the same URL; some codes became "
    "somebody else's just before they were claimed.",
    workloads.many_at_once,
    checkers.own_codes_in_a_race,
    every=7,
)
ONE_LEAVES = Scenario(
    "one leaves",
    "Several callers on one server asked for codes for one URL; one was cancelled meanwhile, and later a server died.",
    workloads.one_leaves,
    checkers.own_codes,
    every=7,
)
MANY_URLS = Scenario(
    "many URLs",
    f"{workloads.MANY} URLs were shortened, and the symbols at each place of their codes counted.",
    workloads.many_urls,
    checkers.whole_space,
    every=7,
)
MANY_FORMS = Scenario(
    "many forms",
    f"{workloads.MANY} URLs were shortened.",
    workloads.many_urls,
    checkers.well_formed,
    every=10,
)
TWO_KEYS = Scenario(
    "two keys",
    "The same URLs were shortened on two servers that have different keys.",
    workloads.two_keys,
    checkers.secret,
    every=7,
)
TO_ONE_URL = Scenario(
    "one URL",
    f"{workloads.TO_ONE_URL} links were made to one URL, and the attempts counted.",
    workloads.links_to_one_url,
    checkers.cheap_links_to_one_url,
    every=7,
)
COLLISIONS = Scenario(
    "collisions",
    "The first codes that were tried were somebody else's already: seven in a row, then all.",
    workloads.collisions_in_a_row,
    checkers.bounded,
    every=7,
)
STORE_FAILS = Scenario(
    "store fails",
    "The store failed under some of the claims, and came back.",
    workloads.store_fails,
    checkers.nothing_lost,
)
FREE_CODES = Scenario(
    "free codes",
    "Links were made to URLs that had none yet, and the questions to the store counted.",
    workloads.awkward_urls,
    checkers.one_trip,
    every=7,
)

SCENARIOS = {
    "form": (AWKWARD_URLS, MANY_FORMS),
    "claimed": (MANY_AT_ONCE, ONE_LEAVES),
    "whole-space": (MANY_URLS,),
    "secret": (TWO_KEYS,),
    "same-url": (TO_ONE_URL,),
    "collisions": (COLLISIONS,),
    "store-failure": (STORE_FAILS,),
    "one-trip": (FREE_CODES,),
}

SUITE = load(Path(__file__).with_name("slot.toml"), SCENARIOS, Namespace)
