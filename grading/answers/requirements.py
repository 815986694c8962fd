"""Requirements as an answer: statements that a run can break, in place of words such as "fast" and "very high".

Each statement is a table of fields. A field earns its points if it is there, can be read, and lies where the statement
can fail and some system could keep it. What the fields come to as a sentence is shown before anything is judged; the
same values are what `workbench.hold` tries on a running stack.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeGuard

from grading.answers.quantities import NotAQuantity, Quantity, parse
from grading.answers.reading import Answered, Unreadable, read
from grading.judge.report import Finding, RequirementVerdict, Verdict

BLANK = "?"
MAX_WORDS = 30
"""Of one list."""
MAX_WORD = 40
"""Characters of one word."""

Value = float | str | tuple[str, ...]
_NUMBER = re.compile(r"p?(?P<value>\d{1,12}(?:\.\d{1,6})?)\s*(?:%|th|st|nd|rd)?")


class Unusable(ValueError):
    """What was written in a field says nothing; the message tells why, and what to write."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a statement must say.

    `kind`: a bare number, a quantity in `unit`, one of `choices`, or a list of words. `low`, `high`: between them the
    statement can fail, and be kept; `below` and `above` explain what is wrong outside. `wrong`: choice or word to what
    is wrong with it. `needed`: words that must be in the list.
    """

    name: str
    points: float
    asks: str
    kind: Literal["number", "quantity", "choice", "words"]
    unit: str = ""
    low: float | None = None
    high: float | None = None
    below: str = ""
    above: str = ""
    choices: tuple[str, ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    lacks: str = ""
    """What to say where needed words are missing."""

    def value(self, written: object) -> Value:
        """Raises Unusable."""
        match self.kind:
            case "number":
                return _number(written)
            case "quantity":
                return self._quantity(written)
            case "choice":
                return self._chosen(_word(written))
            case "words":
                return tuple(dict.fromkeys(self._chosen(word) for word in _words(written)))

    def _quantity(self, written: object) -> float:
        text = f"{written:g}" if _is_number(written) else _word(written)
        try:
            quantity = parse(text).in_unit(self.unit)
        except NotAQuantity as error:
            raise Unusable(f"{str(error).partition('; write ')[0]}; what is asked: {self.asks}") from None
        if quantity.is_range:
            raise Unusable(f"{text!r} is a range, and no run can break a range in one place: name one number")
        return quantity.low

    def _chosen(self, word: str) -> str:
        if self.choices and word not in (*self.choices, *self.wrong):
            raise Unusable(f"{word!r} is none of: {', '.join((*self.choices, *self.wrong))}")
        return word

    def objection(self, value: Value) -> str:
        """Why a statement with this value is none; empty if it is fine."""
        if isinstance(value, float):
            if self.low is not None and value < self.low:
                return self.below
            return self.above if self.high is not None and value > self.high else ""
        if isinstance(value, str):
            return self.wrong.get(value, "")
        bad = [self.wrong[word] for word in value if word in self.wrong]
        missing = [word for word in self.needed if word not in value]
        return bad[0] if bad else self.lacks if missing else ""

    def told(self, value: Value) -> str:
        """As the sentence has it."""
        if isinstance(value, tuple):
            return ", ".join(value) or "nothing"
        if isinstance(value, str):
            return value
        return str(Quantity(value, value, self.unit)) if self.kind == "quantity" else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One statement that is asked for. `vague`: what the brief says; `sentence`: with `{name}` for each field."""

    id: str
    title: str
    vague: str
    sentence: str
    needs: str
    why: str
    read_next: str
    fields: tuple[Field, ...]
    hints: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return sum(each.points for each in self.fields)


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody wrote for one `Asked`. `values`: what could be read, in the fields' own units."""

    asked: Asked
    values: Mapping[str, Value]
    problems: Mapping[str, str]
    """Field to what is wrong with it: not there, not readable, or nothing that could fail or be kept."""
    untouched: bool = False
    """Nothing stands in any of its fields yet."""

    @property
    def id(self) -> str:
        return self.asked.id

    @property
    def sentence(self) -> str:
        """With `…` where nothing can be read."""
        told = {
            f.name: f.told(self.values[f.name]) if f.name in self.values else "…" for f in self.asked.fields
        }
        return self.asked.sentence.format_map(told)

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Fields without a value that can be read."""
        return tuple(each.name for each in self.asked.fields if each.name not in self.values)

    def number(self, name: str) -> float:
        value = self.values[name]
        assert isinstance(value, float)
        return value

    def text(self, name: str) -> str:
        value = self.values[name]
        assert isinstance(value, str)
        return value

    def words(self, name: str) -> tuple[str, ...]:
        value = self.values[name]
        assert isinstance(value, tuple)
        return value


Statements = Mapping[str, Statement]
Rule = Callable[[Statements], Mapping[tuple[str, str], str]]
"""(statement, field) to what is wrong with it, seen beside the other fields and statements."""


def no_rule(statements: Statements) -> Mapping[tuple[str, str], str]:
    return {}


@dataclass(frozen=True, slots=True)
class Requirements:
    """An exercise of kind `requirements`."""

    id: str
    asked: tuple[Asked, ...]
    rule: Rule = no_rule
    kind: str = "requirements"

    @classmethod
    def load(cls, path: Path, rule: Rule = no_rule) -> Requirements:
        data = tomllib.loads(path.read_text("utf-8"))
        return cls(data["id"], tuple(_asked(each) for each in data["asked"]), rule)

    @property
    def parts(self) -> tuple[tuple[float, str, str], ...]:
        return tuple((each.points, each.id, each.title) for each in self.asked)

    def statements(self, text: str) -> Statements:
        """What is stated, by id, in order; of a text that cannot be read: Unreadable."""
        return self._statements(read(text))

    def _statements(self, answered: Answered) -> Statements:
        found = {each.id: _statement(each, answered.values.get(each.id)) for each in self.asked}
        for (id, name), problem in self.rule(found).items():
            before = found[id]
            # What is wrong with a field alone comes before what is wrong beside others.
            found[id] = replace(before, problems={name: problem} | dict(before.problems))
        return found

    def read_back(self, text: str) -> list[tuple[str, str]]:
        try:
            found = self.statements(text)
        except Unreadable as error:
            return [("not readable", str(error))]
        return [(each.id, _read_back(each)) for each in found.values()]

    def judge(self, text: str) -> Verdict:
        try:
            answered = read(text)
        except Unreadable as error:
            return self._nothing(f"The cell cannot be read as an answer: {error}")
        statements = self._statements(answered).values()
        if all(each.untouched for each in statements):
            return self._nothing(
                'Nothing is stated yet: put something in place of each "?", and run that cell.'
            )
        found = tuple(_judged(each, answered) for each in statements)
        return self._verdict(found, notes=self._strange(answered))

    def _nothing(self, why: str) -> Verdict:
        found = tuple(
            RequirementVerdict(each.id, each.title, 0.0, each.points, "fail") for each in self.asked
        )
        return self._verdict(found, why)

    def _verdict(
        self, found: tuple[RequirementVerdict, ...], crashed: str | None = None, notes: tuple[str, ...] = ()
    ) -> Verdict:
        total = sum(each.points for each in self.asked)
        return Verdict(self.id, sum(r.points for r in found), total, "data", (), found, crashed, notes=notes)

    def _strange(self, answered: Answered) -> tuple[str, ...]:
        known = {each.id: {f.name for f in each.fields} for each in self.asked}
        strange = [name for name in answered.values if name not in known]
        for id, names in known.items():
            table = answered.values.get(id)
            strange += (
                [f"{id}.{name}" for name in table if name not in names] if isinstance(table, dict) else []
            )
        return tuple(f"Nobody asks for `{name[:60]}`: it is not judged." for name in strange[:5])


def _asked(data: dict[str, object]) -> Asked:
    fields = data.pop("fields")
    hints = data.pop("hints", ())
    assert isinstance(fields, list)
    made = tuple(
        Field(**each | {name: tuple(each[name]) for name in ("choices", "needed") if name in each})
        for each in fields
    )
    return Asked(**data, fields=made, hints=tuple(hints))  # type: ignore[arg-type]


def _statement(asked: Asked, table: object) -> Statement:
    values: dict[str, Value] = {}
    problems: dict[str, str] = {}
    written = table if isinstance(table, dict) else {}
    for each in asked.fields:
        if _blank(written.get(each.name, BLANK)):
            problems[each.name] = f"`{each.name}` is not said: {each.asks}"
            continue
        try:
            values[each.name] = each.value(written[each.name])
        except Unusable as error:
            problems[each.name] = f"`{each.name}`: {error}"
            continue
        if objection := each.objection(values[each.name]):
            problems[each.name] = f"`{each.name}` is {each.told(values[each.name])}. {objection}"
    untouched = all(_blank(written.get(each.name, BLANK)) for each in asked.fields)
    return Statement(asked, values, problems, untouched)


def _judged(statement: Statement, answered: Answered) -> RequirementVerdict:
    asked = statement.asked
    if not statement.problems:
        return RequirementVerdict(asked.id, asked.title, asked.points, asked.points, "pass")
    earned = sum(each.points for each in asked.fields if each.name not in statement.problems)
    where = answered.at(asked.id)
    finding = Finding(
        did=f"{asked.id}{f' ({where})' if where else ''}: {statement.sentence}",
        expected=asked.needs,
        got=" ".join(ended(problem) for problem in statement.problems.values()),
        why=asked.why,
        read_next=asked.read_next,
    )
    return RequirementVerdict(asked.id, asked.title, earned, asked.points, "fail", finding, asked.hints)


def _read_back(statement: Statement) -> str:
    if statement.untouched:
        return "no answer yet"
    unread = [problem for name, problem in statement.problems.items() if name not in statement.values]
    return " ".join([ended(statement.sentence), *(ended(problem) for problem in unread)])


def ended(text: str) -> str:
    """With a full stop, if it has no end of its own."""
    return text if text.endswith((".", "…", "?")) else f"{text}."


def _blank(written: object) -> bool:
    return (
        written == [] or written == [BLANK] or (isinstance(written, str) and written.strip() in ("", BLANK))
    )


def _is_number(written: object) -> TypeGuard[int | float]:
    """One that is no larger than what somebody could mean; neither True nor NaN."""
    return isinstance(written, int | float) and not isinstance(written, bool) and abs(written) < 1e15


def _number(written: object) -> float:
    if _is_number(written):
        return float(written)
    found = _NUMBER.fullmatch(written.strip().lower()) if isinstance(written, str) else None
    if found is None:
        raise Unusable(f"{_shown(written)} is no number; write such as 99")
    return float(found["value"])


def _word(written: object) -> str:
    """Lower case, single spaces."""
    if isinstance(written, int) and _is_number(written):
        written = str(written)
    if not isinstance(written, str):
        raise Unusable(f"{_shown(written)} is no text; write it between quotation marks")
    word = " ".join(written.lower().split()).rstrip(".")
    if not word or len(word) > 3 * MAX_WORD:
        raise Unusable(f"{_shown(written)}: write a few words")
    return word


def _words(written: object) -> list[str]:
    if isinstance(written, str):
        written = written.split(",")
    if not isinstance(written, list):
        raise Unusable(f'{_shown(written)} is no list; write such as ["one", "two"]')
    if len(written) > MAX_WORDS:
        raise Unusable(f"{len(written)} entries are too many; {MAX_WORDS} will do")
    words = [_word(each) for each in written]
    if long := [word for word in words if len(word) > MAX_WORD]:
        raise Unusable(f"{_shown(long[0])} is too long for one entry")
    return [word for word in words if word != BLANK]


def _shown(written: object) -> str:
    text = (
        "a number with thousands of digits"
        if isinstance(written, int) and abs(written) > 1e300
        else repr(written)
    )
    return text if len(text) <= 60 else f"{text[:57]}…"
