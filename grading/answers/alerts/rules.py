"""A rule file of Prometheus, as it is written in YAML: groups of alerting rules. Read, never executed.

    groups:
      - name: shortener
        rules:
          - alert: RedirectsFail
            expr: sum(rate(http_requests_total{status=~"5.."}[30s])) > 1
            for: 10s
            labels: {severity: page, symptom: errors}
            annotations: {summary: redirects fail}

Prometheus refuses a file in which anything is wrong, whole; so does this. Anchors and aliases of YAML are not taken:
with them a text of a few lines can stand for more than fits on earth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from grading.answers.promql.lexer import BadExpression, tokens
from grading.answers.promql.parser import parse
from grading.answers.promql.syntax import Expression

MAX_TEXT = 20_000
MAX_RULES = 15
MAX_BRACKETS = 500
"""Of [ and {: reading YAML takes long where they are many."""
MAX_LABELS = 10
MAX_WORD = 300
"""Characters of a name, a label or an annotation."""
MAX_FOR = 600.0

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
FILE, GROUP, RULE = {"groups"}, {"name", "rules"}, {"alert", "expr", "for", "labels", "annotations"}
REAL = {
    "record": "a recording rule; write its expression where it is used",
    "keep_firing_for": "",
    "interval": "rules are evaluated once a second here",
    "limit": "",
    "query_offset": "",
    "source_tenants": "",
}
"""What Prometheus' rule files may have beside."""


class BadRules(ValueError):
    """The text is no rule file that can be taken; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`text`: the expression as written. `hold`: seconds for which it has to be true first. `line`: of the cell."""

    name: str
    text: str
    expression: Expression
    hold: float
    labels: dict[str, str]
    annotations: dict[str, str]
    line: int

    def __str__(self) -> str:
        return f"{self.name} (line {self.line})"

    @property
    def severity(self) -> str:
        return self.labels.get("severity", "")

    @property
    def symptom(self) -> str:
        return self.labels.get("symptom", "")


def rules(text: str) -> list[Rule]:
    """`text`: of the cell, its first line empty. BadRules."""
    if len(text) > MAX_TEXT:
        raise BadRules(f"it has {len(text):,} characters; {MAX_TEXT:,} must do")
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise BadRules(f"it has more than {MAX_BRACKETS} brackets")
    root = _composed(text)
    if root is None:
        raise BadRules("there is nothing in it; a rule file begins with: groups:")
    file = _mapping(root, FILE, "the file")
    found = [rule for group in _groups(file.get("groups")) for rule in group]
    if len(found) > MAX_RULES:
        raise BadRules(f"{len(found)} rules are too many; {MAX_RULES} must do")
    return found


# --- YAML


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise BadRules(
                f"{_line(event.start_mark)}: aliases (*{event.anchor}) are not taken; write it out"
            )
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def _composed(text: str) -> yaml.Node | None:
    try:
        loader = _Loader(text.replace("\r\n", "\n"))
        try:
            node: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadRules(f"{_line(mark)} is no YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise BadRules(f"it is no YAML: {str(error).partition(chr(10))[0]}") from None
    except RecursionError:
        raise BadRules("it is nested too deeply") from None
    return node


def _line(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "it"


def _mapping(node: yaml.Node, known: set[str], what: str) -> dict[str, yaml.Node]:
    where = _line(node.start_mark)
    if not isinstance(node, yaml.MappingNode):
        raise BadRules(f"{where}: {what} should have names and values, such as {min(known)}: …")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _word(key, f"a name in {what}")
        if name in found:
            raise BadRules(f"{_line(key.start_mark)}: {name} is there twice in {what}")
        if name in REAL and name not in known:
            more = f" ({REAL[name]})" if REAL[name] else ""
            raise BadRules(
                f"{_line(key.start_mark)}: {name} is real Prometheus, which this exercise does not take{more}"
            )
        if name not in known:
            raise BadRules(
                f"{_line(key.start_mark)}: {what} has no {name[:40]!r}; there are {', '.join(sorted(known))}"
            )
        found[name] = value
    return found


def _sequence(node: yaml.Node | None, what: str) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    where = f"{_line(node.start_mark)}: " if node is not None else ""
    raise BadRules(f"{where}{what} should be a list: lines that begin with -")


def _word(node: yaml.Node, what: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise BadRules(f"{_line(node.start_mark)}: {what} should be a text")
    value = str(node.value)
    if len(value) > MAX_WORD:
        raise BadRules(f"{_line(node.start_mark)}: {what} has {len(value):,} characters; {MAX_WORD} must do")
    return value


# --- rules


def _groups(node: yaml.Node | None) -> Iterator[list[Rule]]:
    names: set[str] = set()
    for each in _sequence(node, "groups"):
        group = _mapping(each, GROUP, "a group")
        if "name" not in group:
            raise BadRules(f"{_line(each.start_mark)}: a group has a name")
        name = _word(group["name"], "the name of a group")
        if name in names:
            raise BadRules(f"{_line(each.start_mark)}: there are two groups {name!r}")
        names.add(name)
        rules = _sequence(group.get("rules"), f"the rules of group {name!r}")
        if len(rules) > MAX_RULES:
            raise BadRules(f"{len(rules)} rules are too many; {MAX_RULES} must do")
        yield [_rule(rule) for rule in rules]


def _rule(node: yaml.Node) -> Rule:
    found = _mapping(node, RULE, "a rule")
    where = _line(node.start_mark)
    for name in ("alert", "expr"):
        if name not in found:
            raise BadRules(f"{where}: a rule has {name}: …")
    name = _word(found["alert"], "alert")
    if not name.strip():
        raise BadRules(f"{where}: an alert has a name")
    text, expression = _expression(found["expr"], name)
    return Rule(
        name,
        text,
        expression,
        _for(found["for"]) if "for" in found else 0.0,
        _labels(found.get("labels"), "labels"),
        _labels(found.get("annotations"), "annotations"),
        node.start_mark.line + 1,
    )


def _expression(node: yaml.Node, name: str) -> tuple[str, Expression]:
    if not isinstance(node, yaml.ScalarNode):
        raise BadRules(
            f"{_line(node.start_mark)}: the expr of {name} should be a text; put it behind | if it has {{ or :"
        )
    text = str(node.value)
    try:
        return text, parse(text)
    except BadExpression as error:
        raise BadRules(
            f"{_line(node.start_mark)}: the expr of {name}, {error.told(text)}: {_beside(text, error.at)}"
        ) from None


def _beside(text: str, at: int) -> str:
    """The place, with what stands around it."""
    before, after = text[max(0, at - 25) : at], text[at : at + 25]
    return " ".join(f"{before}▸{after}".split())


def _for(node: yaml.Node) -> float:
    written = _word(node, "for")
    if written == "0":
        return 0.0
    seconds = _seconds(written)
    if seconds is None or seconds > MAX_FOR:
        raise BadRules(
            f"{_line(node.start_mark)}: for is a time such as 10s or 1m, up to 10m, not {written[:40]!r}"
        )
    return seconds


def _seconds(written: str) -> float | None:
    try:
        first, *rest = tokens(written)
    except BadExpression:
        return None
    return first.value if first.kind == "duration" and [each.kind for each in rest] == ["end"] else None


def _labels(node: yaml.Node | None, what: str) -> dict[str, str]:
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in ("", "null", "~")):
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise BadRules(f"{_line(node.start_mark)}: {what} should have names and values")
    if len(node.value) > MAX_LABELS:
        raise BadRules(f"{_line(node.start_mark)}: {len(node.value)} {what}; {MAX_LABELS} must do")
    found = {_word(key, f"a name in {what}"): _word(value, what) for key, value in node.value}
    if bad := [name for name in found if not _LABEL.fullmatch(name) or name == "__name__"]:
        raise BadRules(f"{_line(node.start_mark)}: {bad[0][:40]!r} cannot be the name of a label")
    if what == "labels" and (bad := [name for name, value in found.items() if "{{" in value]):
        raise BadRules(
            f"{_line(node.start_mark)}: {bad[0]} is a template, which Prometheus takes and this exercise does not"
        )
    return found
