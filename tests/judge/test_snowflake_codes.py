"""What is asked of the slot `url-shortener/snowflake-codes` alone."""

import pytest

from grading.checks.url_shortener.snowflake_codes.world import LEASE_SECONDS, WORKERS, Leases
from grading.judge import judge
from grading.judge.model import Refused
from grading.matrix import entries, filling

SLOT = "url-shortener/snowflake-codes"


def test_plain_loses_only_what_needs_scale() -> None:
    """It asks the lease table once for each tick, which is each code in the standard layout."""
    verdict = judge(SLOT, filling(SLOT, "plain"))
    assert {each.id for each in verdict.requirements if each.verdict != "pass"} == {"cost"}
    assert verdict.points == 19


def test_who_leases_for_each_caller_is_told_of_leases_and_not_of_lengths() -> None:
    kept, source = "lease = self.lease or await self.first_lease()", filling(SLOT, "plain")
    assert kept in source
    anew = source.replace(kept, "lease = await self.first_lease()")
    (requirement,) = judge(SLOT, anew, only=["form"]).requirements
    assert requirement.finding is not None
    assert "Unavailable" in requirement.finding.got
    assert "How many worker numbers" in requirement.finding.read_next


def test_small_counterexample() -> None:
    """Three codes: one of a second, one of the next, and, the clock having stepped back, the first once more."""
    entry = next(each for each in entries(SLOT, "wrong") if each.name == "follows_the_clock")
    (requirement,) = judge(SLOT, entry.source, only=["clock-back"]).requirements
    assert requirement.finding is not None
    example = requirement.finding.counterexample
    assert example is not None
    assert len(example.operations) <= 6
    assert any("set back" in each for each in example.operations)
    assert "had claimed" in requirement.finding.got


def test_leases_keep_the_promises_of_worker_ids() -> None:
    leases = Leases(1)
    first = leases.lease(100.0, 0)
    with pytest.raises(Refused):
        leases.lease(100.0 + LEASE_SECONDS - 1, 1)
    renewed = leases.renew(110.0, first, 500.0)
    assert renewed["expires_at"] == 110.0 + LEASE_SECONDS
    second = leases.lease(110.0 + LEASE_SECONDS, 1)
    assert (second["worker"], second["floor"]) == (first["worker"], 500.0)
    assert second["fence"] > first["fence"]
    with pytest.raises(Refused) as lost:
        leases.renew(141.0, renewed, 600.0)
    assert lost.value.error == "LeaseLost"


def test_an_old_renewal_does_not_lower_the_floor() -> None:
    leases = Leases(1)
    lease = leases.lease(100.0, 0)
    leases.renew(101.0, lease, 500.0)
    leases.renew(102.0, lease, 400.0)
    assert leases.lease(200.0, 1)["floor"] == 500.0


def test_all_numbers_are_given_out_once() -> None:
    leases = Leases(WORKERS)
    assert {leases.lease(100.0, 0)["worker"] for _ in range(WORKERS)} == set(range(WORKERS))
