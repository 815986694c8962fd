"""What is asked of the slots `url-shortener/base62` and `url-shortener/shard-router` alone."""

import string

import pytest

from grading.checks.url_shortener.base62.workloads import JUNK
from grading.judge import Finding, judge
from grading.judge.engine import Judge
from grading.matrix import entries, filling

BASE62, ROUTER = "url-shortener/base62", "url-shortener/shard-router"


def finding(slot: str, name: str) -> Finding:
    """What is said of a wrong component for the requirement that rejects it."""
    entry = next(each for each in entries(slot, "wrong") if each.name == name)
    (requirement,) = judge(slot, entry.source, [1], only=[entry.rejected_by]).requirements
    assert requirement.finding is not None
    return requirement.finding


def questions(found: Finding) -> list[str]:
    """The operations of the counterexample."""
    assert found.counterexample is not None
    return [text for text in found.counterexample.operations if "(" in text]


def test_plain_base62_is_as_right_as_the_reference() -> None:
    assert judge(BASE62, filling(BASE62, "plain")).points == 20


def test_plain_router_moves_too_much() -> None:
    """A learner's first sight: right, and even, as long as the number of shards stays."""
    verdict = judge(ROUTER, filling(ROUTER, "plain"))
    lost = {each.id: each.verdict for each in verdict.requirements if each.verdict != "pass"}
    assert lost == {"few-move": "fail", "to-the-new-one": "fail"}
    assert verdict.points == 15
    assert "shard before, shard after" in " ".join(verdict.text().split())


@pytest.mark.parametrize(
    ("name", "question", "got"),
    [
        ("backwards", "encode(", "it is '"),
        ("zeros_are_nothing", "decode('0", "it raised ValueError"),
        ("zero_is_empty", "encode(0)", "it is ''"),
        ("forgives_spaces", "decode('", "it returned"),
        ("asserts", "encode(-", "it raised AssertionError"),
    ],
)
def test_a_wrong_base62_is_shown_by_one_question(name: str, question: str, got: str) -> None:
    found = finding(BASE62, name)
    (asked,) = questions(found)
    assert ";" not in asked
    assert question in asked
    assert found.got.startswith(got)
    answered = found.timeline[-1]
    assert answered.line is not None  # the learner's, that gave the answer or raised


def test_a_wrong_base62_is_shown_by_a_small_number() -> None:
    assert questions(finding(BASE62, "pads_on_the_right")) == ["encode(1, 2)"]
    assert questions(finding(BASE62, "sixty_four_bits")) == ["encode(2 ** 64)"]


def test_what_an_error_left_behind_is_shown_with_the_error() -> None:
    found = finding(BASE62, "leftovers")
    assert len(questions(found)) == 2  # the server that met an error before, and the one that did not
    assert any("ValueError" in moment.what for moment in found.timeline)


def test_a_memory_that_forgets_the_case_is_shown_by_the_two_codes() -> None:
    asked = "; ".join(questions(finding(ROUTER, "memory_without_case")))
    assert asked.count("shard_of(") <= 4


def test_numbers_beyond_floats_are_told_short() -> None:
    assert len(finding(BASE62, "divides_in_floats").expected) < 120


def test_what_is_junk_has_a_symbol_that_is_no_digit() -> None:
    for text in JUNK:
        assert not text or set(text) - set(string.digits + string.ascii_letters), ascii(text)


def test_a_skeleton_is_told_once() -> None:
    skeleton = "class Base62:\n    def encode(self, number, length=1): ...\n    def decode(self, text): ...\n"
    verdict = judge(BASE62, skeleton)
    assert verdict.points == 0
    lazy = "class Base62:\n    def encode(self, *a): raise NotImplementedError\n    decode = encode\n"
    verdict = judge(BASE62, lazy)
    assert verdict.points == 0
    assert verdict.crashed is not None
    assert "NotImplementedError" in verdict.crashed


def test_an_async_method_is_named_as_what_it_is() -> None:
    source = "class ShardRouter:\n    def __init__(self, *, shards): ...\n    async def shard_of(self, code): ...\n"
    verdict = judge(ROUTER, source, [1])
    assert verdict.points == 0
    assert "not an async one" in " ".join(verdict.text().split())
    assert judge(ROUTER, source, [1]).to_json() == verdict.to_json()


def test_hash_is_caught_by_another_process() -> None:
    found = finding(ROUTER, "builtin_hash")
    assert "one process says" in found.got
    assert [moment.what for moment in found.timeline].count("and in another process:") == 1
    assert len(questions(found)) == 1


def test_only_a_suite_that_asks_for_it_gets_a_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    others: list[bool] = []
    real = Judge.__init__

    def spy(self: Judge, *args: object) -> None:
        others.append(args[2] is not None)
        real(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Judge, "__init__", spy)
    judge(BASE62, filling(BASE62, "plain"), [1], only=["digits"])
    judge(ROUTER, filling(ROUTER, "plain"), [1], only=["pure"])
    judge(ROUTER, filling(ROUTER, "plain"), [1], only=["every-process"])
    assert others == [False, False, True]


def test_a_constant_router_earns_nothing_for_moving_little() -> None:
    source = (
        "class ShardRouter:\n"
        "    def __init__(self, *, shards): self.shards = shards\n"
        "    def shard_of(self, code): return self.shards[0]\n"
    )
    verdict = judge(ROUTER, source, [1])
    assert {each.id for each in verdict.requirements if each.verdict == "unknown"} == {
        "few-move",
        "to-the-new-one",
    }
    assert {each.id for each in verdict.requirements if each.verdict == "fail"} == {"even", "alike"}


LOOP = """
class Base62:
    def encode(self, number, length=1):
        text = ""
        while number != 0:
            number, rest = divmod(number, 62)
            text = "0"
        return text

    def decode(self, text):
        return 0
"""


def test_a_loop_without_an_end_is_told_with_what_was_asked() -> None:
    (requirement,) = judge(BASE62, LOOP, [1], only=["negative"]).requirements
    assert requirement.finding is not None
    assert "to encode negative numbers, and some others (18 questions), on app-1" in requirement.finding.did
    assert "an endless loop? (line" in requirement.finding.got
