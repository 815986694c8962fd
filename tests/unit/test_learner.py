"""Each learner has a seed of their own, the same every time, and apart from those of marks."""

import pytest
from workbench import learner

from grading.judge.__main__ import parse_seeds
from grading.nbgrader.seeds import LOWEST


def test_a_name_has_its_seed() -> None:
    assert learner.own_seed("ada") == learner.own_seed("ada")
    assert learner.own_seed("ada") != learner.own_seed("bob")
    assert all(learner.LOWEST <= learner.own_seed(f"name {n}") < LOWEST for n in range(1000))


def test_the_seeds_of_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner.getpass, "getuser", lambda: "ada")
    assert parse_seeds(learner.check_seeds()) == [1, 2, learner.own_seed("ada")]


def test_a_machine_without_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError("no name")

    monkeypatch.setattr(learner.getpass, "getuser", nobody)
    assert learner.own_seed() == learner.own_seed("learner")
