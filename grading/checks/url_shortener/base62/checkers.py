"""Judge the answers by the judge's own arithmetic. Where a mistake has a requirement of its own, the others do not
look at it: texts are then measured, or read back by the component's own decode."""

from __future__ import annotations

from typing import Any

from grading.checks.pure import Answer, Nothing, answers
from grading.checks.url_shortener.base62.workloads import digits_of
from grading.checks.url_shortener.codes import ALPHABET
from grading.judge.history import Call, History
from grading.judge.plan import Op, Plan
from grading.judge.requirement import Broken, Kept, NotShown, Outcome
from grading.judge.wording import show, show_number

VALUE_ERROR = "builtins.ValueError"
READ_BACK = "read back"


class ReadBack(Nothing):
    """Has each text that encode returned decoded by the same server, where the plan has `facts["read_back"]`."""

    def __init__(self, plan: Plan) -> None:
        self._wanted = bool(plan.facts.get("read_back"))

    def react(self, t: float, ended: Call | None) -> list[Op]:
        if not self._wanted or ended is None or ended.method != "encode" or ended.outcome != "returned":
            return []
        texts = tuple([each["value"]] for each in ended.value if isinstance(each.get("value"), str))
        what = "decode what was encoded"
        return [Op(READ_BACK, "each", 0.0, "", ended.server, "decode", texts, text=what)] if texts else []


def _first_wrong(found: list[Answer], kind: type) -> Broken | None:
    return next((wrong for each in found if (wrong := each.not_a(kind))), None)


def _is(answer: Answer, right: Any, kind: str) -> Broken | None:
    if answer.value == right:
        return None
    return Broken(kind, f"{answer.question} is {show(right)}", f"it is {answer.told}")


def right_digits(plan: Plan, history: History, model: ReadBack) -> Outcome:
    for each in answers(history, "encode"):
        wrong = each.not_a(str) or _is(each, digits_of(each.args[0]), "digits")
        if wrong is not None:
            return wrong
    return Kept()


def right_numbers(plan: Plan, history: History, model: ReadBack) -> Outcome:
    for each in answers(history, "decode"):
        wrong = each.not_a(int) or _is(each, number_of(each.args[0]), "number")
        if wrong is not None:
            return wrong
    return Kept()


def number_of(text: str) -> int:
    number = 0
    for symbol in text:
        number = number * 62 + ALPHABET.index(symbol)
    return number


def right_length(plan: Plan, history: History, model: ReadBack) -> Outcome:
    for each in answers(history, "encode"):
        wrong = each.not_a(str)
        if wrong is not None:
            return wrong
        needed = len(digits_of(each.args[0]))
        if len(each.value) != needed:
            return Broken(
                "length",
                f"{each.question} has {needed} symbol{'s' if needed > 1 else ''}",
                f"it is {each.told}, which has {len(each.value)}",
            )
    return read_back(plan, history, model)


def read_back(plan: Plan, history: History, model: ReadBack) -> Outcome:
    """By the component's own decode: whatever the order of its digits, the number comes back."""
    encoded, decoded = answers(history, "encode"), answers(history, "decode")
    wrong = _first_wrong(encoded, str) or _first_wrong(decoded, int)
    if wrong is not None:
        return wrong
    for there, back in zip(encoded, decoded, strict=True):
        number = there.args[0]
        if back.value != number:
            told = show_number(number)
            return Broken(
                "not read back",
                f"decode(encode({told})) is {told}",
                f"encode gave {there.told}, and decode made {show_number(back.value)} of that",
            )
    return Kept()


def padded(plan: Plan, history: History, model: ReadBack) -> Outcome:
    """Numbers that neither begin nor end with 0, in whichever order their digits are."""
    for each in answers(history, "encode"):
        wrong = each.not_a(str)
        if wrong is not None:
            return wrong
        number, length = each.args
        right = digits_of(number)
        zeros = max(0, length - len(right))
        text = each.value
        if len(text) != zeros + len(right) or text[:zeros] != "0" * zeros or "0" in (text[zeros], text[-1]):
            too = "zeros on the left" if zeros else "nothing added and nothing cut"
            return Broken(
                "padding", f"{each.question} is {show(right.rjust(length, '0'))}: {too}", f"it is {each.told}"
            )
    return Kept()


def _refused(each: Answer, kind: str) -> Broken | None:
    if each.raised(VALUE_ERROR):
        return None
    what = "raised" if each.error is not None else "returned"
    return Broken(kind, f"{each.question} raises ValueError", f"it {what} {each.told}")


def refuses_negative(plan: Plan, history: History, model: ReadBack) -> Outcome:
    shown = False
    for each in answers(history, "encode"):
        bad = each.args[0] < 0
        wrong = _refused(each, "negative") if bad else each.not_a(str)
        if wrong is not None:
            return wrong
        shown = shown or bad
    return Kept() if shown else NotShown("no negative number was asked", "a negative number")


def refuses_junk(plan: Plan, history: History, model: ReadBack) -> Outcome:
    shown = False
    for each in answers(history, "decode"):
        (text,) = each.args
        bad = not text or not set(text) <= set(ALPHABET)
        wrong = _refused(each, "junk") if bad else each.not_a(int)
        if wrong is not None:
            return wrong
        shown = shown or bad
    return Kept() if shown else NotShown("no bad text was asked", "a text with a symbol that is no digit")


def same_answers(plan: Plan, history: History, model: ReadBack) -> Outcome:
    """Whatever was asked in between, and of whichever server."""
    first: dict[tuple[str, tuple[Any, ...]], Answer] = {}
    good: Answer | None = None
    for each in answers(history):
        argument = each.args[0]
        if argument < 0 if isinstance(argument, int) else not set(argument) <= set(ALPHABET):
            continue
        wrong = each.not_a(str if each.method == "encode" else int)
        if wrong is not None:
            return wrong
        good = each
        before = first.setdefault((each.method, each.args), each)
        if before.value != each.value:
            return Broken(
                "another answer",
                f"{each.question} is the same whenever and wherever it is asked",
                f"{plan.called(before.server)} said {before.told} to {before.caller}, and "
                f"{plan.called(each.server)} {each.told} to {each.caller}",
            )
    return Kept() if good is not None else NotShown("nothing was asked", "one question asked twice")
