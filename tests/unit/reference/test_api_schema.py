"""The API is asked everything that its description allows, and much that it does not; it keeps to the description.

In process, over the fakes, with the same examples each time.
"""

from typing import Any

import anyio
import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.unit.reference.conftest import make_world

DECIDES_MORE = [positive_data_acceptance]
"""A description cannot say all that decides: whether a host is ours, whether a day lies ahead."""

NOT_REFUSED = [*DECIDES_MORE, negative_data_rejection]
"""Nor need everything be refused that it does not name: here the token comes from outside the examples, so what was
wrong with an example may have been its lack of one."""

settings.register_profile(
    "api",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema() -> Any:
    world = anyio.run(make_world)
    made = schemathesis.openapi.from_asgi("/openapi.json", world.app)
    made.administrator = world.administrator
    return made


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
@pytest.mark.parametrize("who", ["anybody", "administrator"])
@pytest.mark.parametrize(
    "examples",
    [
        2,
        pytest.param(25, marks=pytest.mark.slow),
        pytest.param(500, marks=[pytest.mark.slow, pytest.mark.soak]),
    ],
)
def test_it_keeps_to_its_description(schema: Any, who: str, mode: Any, examples: int) -> None:
    headers, excluded = (schema.administrator, NOT_REFUSED) if who == "administrator" else ({}, DECIDES_MORE)
    asked, concrete = 0, {path for path in schema.raw_schema["paths"] if "{" not in path}
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(settings.get_profile("api"), max_examples=examples)
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal asked
            # OpenAPI: a path without parameters goes before one with. "readyz" has the form of a code.
            assume("{" not in case.path or case.formatted_path not in concrete)
            asked += 1
            case.call_and_validate(headers=headers, excluded_checks=excluded)

        try:
            ask()
        except Unsatisfiable:
            assert mode == GenerationMode.NEGATIVE  # nothing to get wrong where nothing is told
    assert asked > 20
