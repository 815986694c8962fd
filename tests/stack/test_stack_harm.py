"""A component that loops, exits or leaks is named with its line, and the stack serves on, on every profile."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from workbench.stack import Stack

from tests.stack.clients import (
    COMPONENT,
    LINE,
    SLOT,
    eventually,
    following,
    mend_all,
    new_incident,
    shorten,
    skip_unless_available,
    status_of,
)


@pytest.fixture(scope="module")
def running() -> Iterator[Callable[[str], Stack]]:
    """The stack of a profile, started when it is first asked for."""
    with ExitStack() as stacks:

        @cache
        def of(profile: str) -> Stack:
            return stacks.enter_context(Stack(profile=profile))

        yield of


@pytest.fixture
def stack(running: Callable[[str], Stack], profile: str) -> Iterator[Stack]:
    skip_unless_available(profile)
    yield running(profile)
    mend_all(running(profile))


HARM = {
    "loop": ("blocked", "while True: pass"),
    "loop-in-C": ("blocked", "import re; re.match('(a+)+$', 'a' * 50 + 'b')"),
    "_exit": ("exited", "import os; os._exit(3)"),
    "kill-itself": ("exited", "import os; os.kill(os.getpid(), 9)"),
    "segfault": ("exited", "import ctypes; ctypes.string_at(0)"),
    "leak": ("leaked", "self.kept.append('x' * 4_000_000)"),
    "too-much-at-once": ("leaked or blocked", "self.kept.append(bytearray(b'x') * 3_000_000_000)"),
}
CASES = [pytest.param("embedded", *harm, id=f"embedded-{name}") for name, harm in HARM.items()] + [
    pytest.param("local", *HARM[name], id=f"local-{name}", marks=[pytest.mark.local, pytest.mark.slow])
    for name in ("loop", "_exit", "leak")
]


@pytest.mark.parametrize(("profile", "kind", "body"), CASES)
def test_a_harmful_component_is_named_and_the_stack_serves_on(stack: Stack, kind: str, body: str) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    pid = stack.status().roles["app-2"]["pid"]
    stack.swap(SLOT, COMPONENT.format(body=body), on="app-2")
    with following(stack, code) as followers:
        incident = new_incident(stack, before)
        eventually(lambda: stack.status().roles["app-2"]["state"] == "up", "app-2 is up again")
        assert status_of(stack.server_url("app-2"), code) == 302
    assert (incident.role, incident.component) == ("app-2", SLOT), incident
    assert incident.kind in kind.split(" or "), incident
    assert (incident.line, incident.source_line) == (LINE, f"        {body}"), incident
    roles = stack.status().roles
    assert set(roles["app-2"]["components"].values()) == {"reference"}
    assert roles["app-2"]["pid"] != pid
    assert followers.failures == []
    assert set(followers.statuses) == {302}
    assert len(stack.incidents()) == before + 1


@pytest.mark.parametrize("profile", ["embedded"])
def test_a_component_that_would_exit_is_kept_from_it(stack: Stack) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    stack.swap(SLOT, COMPONENT.format(body="raise SystemExit"), on="app-2")
    pid = stack.status().roles["app-2"]["pid"]
    for _ in range(3):
        assert status_of(stack.server_url("app-2"), code) == 500
    incident = new_incident(stack, before)
    assert (incident.kind, incident.line) == ("exited", LINE)
    assert len(stack.incidents()) == before + 1, "told once"
    assert stack.status().roles["app-2"]["pid"] == pid


@pytest.mark.parametrize("profile", ["embedded"])
def test_what_a_component_raises_is_told_with_its_line(stack: Stack) -> None:
    code = shorten(stack)
    before = len(stack.incidents())
    stack.swap(SLOT, COMPONENT.format(body="raise ValueError(code)"), on="app-2")
    for _ in range(3):
        assert status_of(stack.server_url("app-2"), code) == 500
    incident = new_incident(stack, before)
    assert (incident.role, incident.kind, incident.component) == ("app-2", "raised", SLOT)
    assert (incident.line, incident.source_line) == (LINE, "        raise ValueError(code)")
    assert f"resolve raised ValueError: {code}" in incident.message
    assert "the call failed" in incident.message
    assert len(stack.incidents()) == before + 1, "told once"
