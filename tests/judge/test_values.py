"""What crosses the pipe between judge and component, by the kinds that a schema names."""

from itertools import count
from typing import Any

import pytest

from grading.host.values import Mismatch, Values, parse

LEASE = {
    "WorkerLease": {
        "python": "reference.shortener.components:WorkerLease",
        "fields": {"worker": "int", "fence": "int", "expires_at": "float", "floor": "float"},
    },
    "Bucket": {
        "python": "reference.shortener.components:Bucket",
        "fields": {"code": "str", "width": "str", "start": "int", "dimension": "str", "value": "str"},
    },
}


@pytest.fixture
def values() -> Values:
    return Values(LEASE)


def test_kinds_are_read() -> None:
    assert parse("map[str,list[int]]?") == ("map", ["str", "list[int]"])
    assert parse("str") == ("str", [])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("é", "str"),
        (2**300, "int"),
        (0.5, "float"),
        (True, "bool"),
        (b"\x00\xff", "bytes"),
        ([1, None], "list[int?]"),
        ({"a", "b"}, "set[str]"),
        ({"a": [1]}, "map[str,list[int]]"),
        (None, "str?"),
        (None, "none"),
    ],
)
def test_there_and_back(values: Values, value: Any, kind: str) -> None:
    assert values.decode(values.encode(value, kind), kind) == value


def test_types_of_the_schema(values: Values) -> None:
    lease = {"worker": 3, "fence": 1, "expires_at": 10.0, "floor": 0.0}
    assert values.encode(values.decode(lease, "WorkerLease"), "WorkerLease") == lease
    bucket = values.decode(
        {"code": "a", "width": "total", "start": 0, "dimension": "", "value": ""}, "Bucket"
    )
    assert values.encode({bucket: 2}, "map[Bucket,int]")[0][1] == 2
    assert values.decode([3, 9], "range") == range(3, 9)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, "str"),
        (True, "int"),
        ("1", "int"),
        (2**2000, "int"),
        (None, "str"),
        ("abc", "list[str]"),
        (5, "list[int]"),
        ({1: 2}, "map[str,int]"),
        ("text", "WorkerLease"),
        (count(), "list[int]"),
    ],
)
def test_what_is_of_another_kind_is_refused_where_it_is_handed_over(
    values: Values, value: Any, kind: str
) -> None:
    with pytest.raises(Mismatch):
        values.encode(value, kind)
    assert isinstance(values.told(value, kind), dict | int | str | bool | None), "and told, if it is returned"
