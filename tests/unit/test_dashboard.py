"""What a notebook makes of Prometheus' answers, and what it says where nobody watches."""

from typing import Any

import httpx
import pytest
from workbench import dashboard
from workbench.notebook.dashboard import Asked, beginning, lines, named, rows, said
from workbench.stack import StackError
from workbench.stack.request import Request

GRID = [100.0, 105.0, 110.0]
LATENCY = Asked("Latency", "s", (("a", "{{instance}} p99"),))


def prometheus(answer: Any) -> httpx.Client:
    return httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)), base_url="http://p"
    )


def result(*values: tuple[float, str], **labels: str) -> dict[str, Any]:
    found = [{"metric": labels, "values": [list(each) for each in values]}]
    return {"status": "success", "data": {"result": found}}


def test_values_are_put_at_their_instants_and_what_is_no_number_is_a_gap() -> None:
    with prometheus(result((100.0, "0.25"), (105.0, "NaN"), (115.0, "9"), instance="app-1")) as asked:
        assert lines(LATENCY, asked, GRID, 5.0) == {"app-1 p99": [250.0, None, None]}


def test_what_prometheus_refuses_is_said() -> None:
    refused = pytest.raises(StackError, match="does not take 'a': parse error")
    with prometheus({"status": "error", "error": "parse error"}) as asked, refused:
        lines(LATENCY, asked, GRID, 5.0)


def test_one_that_is_away_is_said() -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    client = httpx.Client(transport=httpx.MockTransport(away), base_url="http://p")
    with client as asked, pytest.raises(StackError, match="does not answer"):
        lines(LATENCY, asked, GRID, 5.0)


def test_it_begins_where_anything_is_known() -> None:
    assert beginning([[None, None, 1.0], [None, 0.0, None]]) == 1
    assert beginning([[None], []]) == 0


def test_names_and_words() -> None:
    assert named("{{instance}} of {{ job }}{{none}}", {"instance": "app-1", "job": "x"}) == "app-1 of x"
    assert said(LATENCY, {"p50": [1.0, None], "p99": [None, None]}) == "Latency (ms): p50 1.00"
    assert said(LATENCY, {}) == "Latency (ms): nothing"


def test_every_panel_of_the_dashboard_has_a_name_and_a_question() -> None:
    found = rows("url-shortener")
    assert list(found) == ["Golden signals", "Cache", "Shards", "Clicks"]
    assert all(each.title and each.asks for panels in found.values() for each in panels)


class Unwatched:
    case, name = "url-shortener", "s"

    def observers(self) -> dict[str, str]:
        return {}


def test_a_stack_that_nobody_watches() -> None:
    with pytest.raises(ValueError, match="observability=True"):
        dashboard(Unwatched())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the profile compose has a Prometheus, embedded has none"):
        Request("x", "url-shortener", "embedded", 3, {}, True, observability=True)
