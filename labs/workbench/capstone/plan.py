"""What the clients will ask, and when: the same for the same slot, seed and length."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from workbench.capstone.scene import Fault, Scene, scene_for
from workbench.popularity import Zipf

Op = Literal["shorten", "follow", "delete", "stats", "guess"]

CLIENTS = ("ann", "ben", "cleo", "dan")
RATE = 45.0
"""Requests a second beside those that belong to a story (a deletion and who follows after it)."""
SOWN = 20
"""Links that are made before the load, so that there is something to follow."""
BEFORE = -2.0
"""The moment of what happens before the load, in this order and without haste."""
BOUND = 2.0
"""Seconds after an acknowledged deletion by which no server redirects any more."""
AFTER = (0.4, BOUND + 0.3, BOUND + 1.0, BOUND + 1.8)
"""Seconds after a deletion at which somebody follows the link."""
LIFETIME = 3.0
"""Seconds that a link lives which is to expire in the run."""
PATHS = (
    "a/b?q=1",
    "caf%C3%A9%20au%20lait?next=%2Fhome&q=a+b#top",
    "100%2525?x=%00&y=%2f",
    "search?q=a%20b+c&lang=de#:~:text=x",
    "ünïcode/päth?ß=ß",
    "UPPER/lower/../x;p=1?a&&b=",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One request. `at`: seconds since the load began; below 0, what comes before it. `link`: the number of the planned
    link that it is about. `code`: of a guess."""

    at: float
    client: str
    op: Op
    link: int = -1
    code: str = ""


@dataclass(frozen=True, slots=True)
class PlannedLink:
    """`alias`: its own, "" for none. `rival`: another link wants the same. `lifetime`: seconds, 0 for the usual."""

    number: int
    url: str
    alias: str = ""
    rival: bool = False
    asked_early: bool = False
    """Somebody follows the alias before there is a link: "no such link" may be remembered."""
    lifetime: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    slot: str
    seed: int
    seconds: float
    links: tuple[PlannedLink, ...]
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    scene: Scene

    @property
    def before(self) -> list[Step]:
        """The steps before the load."""
        return [step for step in self.steps if step.at < 0]

    @property
    def load(self) -> list[Step]:
        return [step for step in self.steps if step.at >= 0]


def plan_for(slot: str, seed: int, seconds: float) -> Plan:
    """ValueError: no such slot, or too short a load to meet its faults."""
    if seconds < 8:
        raise ValueError(f"{seconds:g} s are too few: the faults need 8 s at least")
    scene = scene_for(slot, seed, seconds)
    writer = _Writer(random.Random(f"plan {slot} {seed}"), scene, seconds)
    writer.write()
    steps = sorted(writer.steps, key=lambda step: step.at)
    return Plan(slot, seed, seconds, tuple(writer.links), tuple(steps), scene.faults, scene)


class _Writer:
    def __init__(self, dice: random.Random, scene: Scene, seconds: float) -> None:
        self.dice = dice
        self.scene = scene
        self.seconds = seconds
        self.links: list[PlannedLink] = []
        self.steps: list[Step] = []
        self.plain: list[tuple[float, int]] = []
        """Links that live through the run, by the moment at which they are made."""

    def write(self) -> None:
        for _ in range(SOWN):
            self.make(BEFORE)
        for at in self.moments(int(RATE * self.seconds), 0.0, self.seconds):
            self.any_request(at)
        for at in self.moments(int(self.seconds), 1.2, self.seconds - 3.0):
            self.end_of_a_link(at)
        for at in self.moments(max(4, int(self.seconds / 2)), 1.0, self.seconds - 4.0):
            self.two_want_one_alias(at)
        for at in self.moments(4, 0.5, self.seconds - 5.0):
            self.link_that_expires(at)
        for at in self.moments(4, 0.5, self.seconds - 4.0):
            self.asked_too_early(at)
        if self.scene.race is not None:
            self.race(self.scene.race * self.seconds)
        for fraction in self.scene.deletions:
            self.end_of_warm_links(fraction * self.seconds)

    def moments(self, count: int, first: float, last: float) -> list[float]:
        return sorted(round(self.dice.uniform(first, last), 4) for _ in range(count))

    def step(self, at: float, op: Op, link: int = -1, code: str = "") -> None:
        self.steps.append(Step(round(at, 4), self.dice.choice(CLIENTS), op, link, code))

    def make(self, at: float, *, keep: bool = True, **traits: object) -> int:
        """A new link at the moment `at`. `keep`: others may follow it later on."""
        number = len(self.links)
        same = self.links and self.dice.random() < self.scene.repeats
        url = self.dice.choice(self.links).url if same else self.new_url()
        self.links.append(PlannedLink(number, url, **traits))  # type: ignore[arg-type]
        self.step(at, "shorten", number)
        if keep:
            self.plain.append((at, number))
        return number

    def new_url(self) -> str:
        return f"https://example.org/{self.dice.getrandbits(40):x}/{self.dice.choice(PATHS)}"

    def any_request(self, at: float) -> None:
        dice = self.dice.random()
        if dice < 0.22:
            self.make(at)
        elif dice < 0.25:
            self.step(at, "guess", code="".join(self.dice.choices(string.ascii_letters, k=7)))
        else:
            there = [number for made, number in self.plain if made < at - 1.0]
            rank = next(Zipf(len(there), 0.9).sampler(self.dice.getrandbits(32)))
            self.step(at, "stats" if dice < 0.29 else "follow", there[rank])

    def end_of_a_link(self, at: float) -> None:
        """Made, followed, deleted, and followed all the same."""
        link = self.make(self.dice.uniform(0.0, at - 0.8), keep=False)
        for before in (0.35, 0.3, 0.02):
            self.step(at - before, "follow", link)
        self.step(at, "delete", link)
        for after in AFTER:
            self.step(at + after, "follow", link)

    def two_want_one_alias(self, at: float) -> None:
        alias = self.new_alias()
        for link in (self.make(at + gap, keep=False, alias=alias, rival=True) for gap in (0.0, 0.02)):
            for after in (1.2, 1.25, 2.4):
                self.step(at + after, "follow", link)

    def link_that_expires(self, at: float) -> None:
        link = self.make(at, keep=False, lifetime=LIFETIME)
        for after in (0.6, 1.6, 2.7, LIFETIME + 0.3, LIFETIME + 0.35, LIFETIME + 1.2):
            self.step(at + after, "follow", link)

    def asked_too_early(self, at: float) -> None:
        alias = self.new_alias()
        for before in (0.4, 0.35, 0.3):
            self.step(max(0.0, at - before), "guess", code=alias)
        link = self.make(at, keep=False, alias=alias, asked_early=True)
        for after in (BOUND + 0.4, BOUND + 0.5, BOUND + 0.6):
            self.step(at + after, "follow", link)

    def race(self, at: float) -> None:
        """Links that nobody has followed yet are read through a slow server, and deleted before its answer comes."""
        for _ in range(8):
            link = self.make(BEFORE, keep=False)
            for gap in (0.25, 0.251, 0.252, 0.253):
                self.step(at + gap, "follow", link)
            self.step(at + 1.3, "delete", link)
            for after in AFTER[1:]:
                self.step(at + 1.3 + after, "follow", link)

    def end_of_warm_links(self, at: float) -> None:
        """Links that every cache has are deleted at one moment, such as while their cache is away."""
        for _ in range(5):
            link = self.make(BEFORE, keep=False)
            for before in (0.9, 0.85, 0.8, 0.7):
                self.step(at - before, "follow", link)
            self.step(at, "delete", link)
            for after in (*AFTER[1:], 4.5):
                self.step(at + after, "follow", link)

    def new_alias(self) -> str:
        return f"alias-{self.dice.getrandbits(40):010x}"


def referer(client: str) -> str:
    """Where a client comes from: each from its own page, so that counts can be told apart."""
    return f"https://{client}.example/page"


AGENTS = {
    "ann": ("Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    "ben": ("curl", "curl/8.5.0"),
    "cleo": ("Chrome", "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"),
    "dan": ("other", "Lynx/2.9"),
}
"""Client: what its agent counts as, and the header."""


def described(plan: Plan) -> Iterator[str]:
    """The faults, one line each."""
    for fault in plan.faults:
        until = f" for {fault.lasts:g} s" if fault.lasts else ""
        yield f"{fault.at:6.2f} s  {fault.words()}{until}"
