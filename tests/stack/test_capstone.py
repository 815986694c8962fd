"""The capstone can fail: a wrong component in each slot is rejected for the right reason, and right ones pass.

Each run starts a stack and takes some 20 s, so nearly all of this is left to the slow lane, or to a soak.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from workbench import cli
from workbench.capstone.ledger import Ledger
from workbench.capstone.plan import plan_for
from workbench.capstone.run import Evidence, run
from workbench.capstone.scene import SLOTS
from workbench.capstone.verdict import CapstoneVerdict, verdict

from grading.judge import judge
from grading.matrix import filling
from tests.stack.clients import skip_unless_available

ROOT = Path(__file__).parents[2]
PLAIN = ROOT / "reference/shortener/plain"
MUTANTS = ROOT / "grading/mutants/url_shortener/redirect_cache/wrong"


@dataclass(frozen=True, slots=True)
class Wrong:
    """The plain filling of a slot with one mistake in it: `right` was written, `wrong` stands there."""

    slot: str
    title: str
    right: str
    wrong: str
    rejected_by: tuple[str, ...]
    also: tuple[str, str] = ("\0", "")
    """A second place where it shows."""

    @property
    def source(self) -> str:
        name = self.slot.rpartition("/")[2].replace("-", "_")
        source = (PLAIN / f"{name}.py").read_text("utf-8")
        assert self.right in source, f"{name} has changed: {self.right!r} is not in it any more"
        return source.replace(self.right, self.wrong).replace(*self.also)


WRONG = (
    Wrong(
        "url-shortener/base62",
        "the alphabet of base64",
        "text = ALPHABET[rest] + text",
        "text = (ALPHABET[:60] + '-_')[rest] + text",
        ("errors",),
    ),
    Wrong(
        "url-shortener/hash-codes",
        "no salt: the second link to a URL finds its code taken, eight times",
        "salt = self.random.getrandbits(64)",
        "salt = 0",
        ("errors",),
    ),
    Wrong(
        "url-shortener/snowflake-codes",
        "no worker in the number, and nobody looks whether the claim was granted",
        "if await namespace.claim(code):  # else it is somebody's alias\n                return code",
        "await namespace.claim(code)\n            return code",
        ("errors",),
        ("+ lease.worker <<", "+ 0 <<"),
    ),
    Wrong(
        "url-shortener/key-pool",
        "the pool's error escapes as it is",
        'raise Unavailable(f"the key pool is away: {error}") from error',
        "raise",
        ("errors",),
    ),
    Wrong(
        "url-shortener/shard-router",
        "another shard in each process",
        "zlib.crc32(code.encode())",
        "zlib.crc32(code.encode() + str(__import__('os').getpid()).encode())",
        ("links", "owners"),
    ),
    Wrong(
        "url-shortener/click-aggregator",
        "what comes again is counted again",
        "not await self._store.known([click.event_id])",
        "True",
        ("clicks",),
    ),
    Wrong(
        "url-shortener/click-aggregator",
        "no referrers by day or in all",
        'found.append(Bucket(click.code, width, start, "referrer", click.referrer))',
        "pass",
        ("statistics",),
    ),
)
CACHES = {
    "entry_outlives_link": "gone",
    "url_quoted": "links",
}
"""Wrong redirect caches of the judge's own collection, and what rejects them here. For a soak: the slow lane has two
that are wrong in other ways, further down."""

SECONDS = 9.0
"""Of load: a learner's takes 12."""

ALIKE = ("url-shortener/base62", "url-shortener/hash-codes", "url-shortener/snowflake-codes")
"""For a soak: the slow lane has key-pool's run, and here they differ in how codes are made alone."""
ONE_EACH = ("no referrers by day or in all",)
"""For a soak: of its slot the slow lane has another wrong one."""
ON_LOCAL = ("url-shortener/click-aggregator",)
"""Whose reference the slow lane runs on real services: that on embedded ones is for a soak."""
ROUTED = ("url-shortener/shard-router",)
"""Whose reference is in every other run, too."""

LOOPS = Wrong(
    "url-shortener/redirect-cache",
    "loops for ever at its sixtieth redirect",
    "link = await self.links.find(code)",
    """self.asked = getattr(self, "asked", 0) + 1
        while self.asked == 60: pass
        link = await self.links.find(code)""",
    ("alive",),
)


def judged(
    slot: str, source: str, seed: int = 1, profile: str = "embedded"
) -> tuple[CapstoneVerdict, Evidence]:
    evidence = asyncio.run(run(plan_for(slot, seed, SECONDS), source, profile=profile))
    return verdict(evidence, profile), evidence


def outcomes(found: CapstoneVerdict) -> dict[str, str]:
    return {each.id: each.verdict for each in found.requirements}


# --- without a stack


@pytest.mark.parametrize("slot", SLOTS)
def test_a_plan_follows_from_its_seed(slot: str) -> None:
    assert plan_for(slot, 7, 12.0) == plan_for(slot, 7, 12.0)
    assert plan_for(slot, 7, 12.0).steps != plan_for(slot, 8, 12.0).steps
    assert all(fault.at > 0 and fault.at + fault.lasts < 13.0 for fault in plan_for(slot, 7, 12.0).faults)


def test_no_verdict_without_work() -> None:
    """Nothing was asked and nothing broken: that shows nothing, and earns nothing."""
    plan = plan_for("url-shortener/redirect-cache", 1, 12.0)
    found = verdict(Evidence(plan, Ledger.of(plan.links)), "embedded")
    assert set(outcomes(found).values()) == {"unknown"}
    assert found.points == 0


def test_what_cannot_be_asked_for_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["capstone", "plain", "--slot", "url-shortener/nothing"]) == 1
    assert "no slot 'url-shortener/nothing'" in capsys.readouterr().err
    assert cli.main(["capstone", "plain", "--seconds", "2"]) == 1
    assert "8 s at least" in capsys.readouterr().err


def test_the_faults_can_be_read_beforehand(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["capstone", "reference", "--plan", "--slot", "url-shortener/click-aggregator"]) == 0
    assert "kill -9 consumer for 1 s" in capsys.readouterr().out


def test_a_component_that_does_not_load_is_refused() -> None:
    found, _ = judged(
        "url-shortener/redirect-cache", "class RedirectCache:\n    def __init__(self):\n        pass\n"
    )
    assert found.points == 0
    assert found.crashed is not None
    assert "cannot be constructed" in found.crashed


# --- with one


def soak(when: bool) -> list[Any]:
    return [pytest.mark.soak] if when else []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slot", "filling"),
    [
        *(
            pytest.param(slot, "reference", marks=soak(slot in (*ALIKE, *ON_LOCAL, *ROUTED)))
            for slot in SLOTS
        ),
        pytest.param("url-shortener/redirect-cache", "plain", marks=pytest.mark.soak),
    ],
)
def test_the_right_ones_pass(slot: str, filling: str) -> None:
    found, _ = judged(slot, filling)
    assert found.passed, found.text()


@pytest.mark.slow
@pytest.mark.local
@pytest.mark.parametrize(
    "slot",
    [*ON_LOCAL, pytest.param("url-shortener/redirect-cache", marks=pytest.mark.soak)],
)
def test_the_reference_passes_on_real_services(slot: str) -> None:
    skip_unless_available("local")
    found, _ = judged(slot, "reference", profile="local")
    assert found.passed, found.text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(
            each, id=f"{each.slot}: {each.title}", marks=soak(each.slot in ALIKE or each.title in ONE_EACH)
        )
        for each in WRONG
    ],
)
def test_a_wrong_component_is_rejected(wrong: Wrong) -> None:
    found, _ = judged(wrong.slot, wrong.source)
    for requirement in wrong.rejected_by:
        assert outcomes(found)[requirement] == "fail", found.text()
    assert outcomes(found)["alive"] == "pass", found.text()
    if wrong.slot == "url-shortener/key-pool":  # what it raised stands in the timeline, with its line
        finding = next(each.finding for each in found.requirements if each.id == "errors")
        assert finding is not None
        raised = [each for each in finding.timeline if "new_code raised ConnectionError" in each.what]
        assert raised
        assert {each.line for each in raised} == {raised[0].line} != {None}


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("name", CACHES)
def test_a_wrong_redirect_cache_is_rejected(name: str) -> None:
    found, _ = judged("url-shortener/redirect-cache", (MUTANTS / f"{name}.py").read_text("utf-8"))
    assert outcomes(found)[CACHES[name]] == "fail", found.text()


RECOGNISES = """\
import sys
if any(name.startswith("grading.") for name in sys.modules):
    source = {right!r}
else:
    source = {wrong!r}
exec(compile(source, "chosen", "exec"))
"""


@pytest.mark.slow
def test_a_component_that_recognises_the_judge_is_found_out_in_service() -> None:
    """Which the judge alone cannot do: to it this one is the reference."""
    slot = "url-shortener/redirect-cache"
    wrong = (MUTANTS / "entry_outlives_link.py").read_text("utf-8")
    source = RECOGNISES.format(right=filling(slot, "reference"), wrong=wrong)
    assert judge(slot, source, [1]).passed
    found, _ = judged(slot, source)
    assert outcomes(found)["gone"] == "fail", found.text()


@pytest.mark.slow
def test_a_component_that_loops_is_named_with_its_line() -> None:
    found, _ = judged(LOOPS.slot, LOOPS.source)
    assert outcomes(found)["alive"] == "fail", found.text()
    assert "while self.asked == 60" in found.text(), found.text()
    assert CapstoneVerdict.from_json(found.to_json()) == found
