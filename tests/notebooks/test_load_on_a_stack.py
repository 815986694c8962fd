"""The load generator against a stack that runs: counted work, events, and the command."""

import json
from collections.abc import Iterator

import pytest
from workbench import Stack, Zipf, create_links, load
from workbench.cli import main

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("stacks")))
        with Stack(name="loaded", servers=2) as stack:
            yield stack


async def test_a_cold_cache_misses_each_link_once_and_a_flush_makes_it_cold_again(stack: Stack) -> None:
    codes = await create_links(stack, 60)
    cold = await load(stack, codes, rate=150, seconds=2)
    assert cold.statuses == {302: cold.sent}
    assert cold.store_reads is not None
    assert cold.store_reads <= 2 * len(codes)  # once, or once on each server where two ask at the same moment
    assert cold.hit_rate == pytest.approx(Zipf(60, 1.0).cold_hit_rate(cold.answered), abs=0.1)
    stack.set("fast_path", False)  # which outlives a flush by two seconds: the links that are followed most
    flushed = await load(stack, codes, rate=150, seconds=2, at={1.0: ("flush", stack.flush)})
    assert flushed.store_rate(1.0, 1.6) > flushed.store_rate(0.0, 1.0)
    assert flushed.failed == 0


def test_the_command(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["load", "--name", "loaded", "--rate", "50", "--seconds", "1"]
    assert main([*words, "--links", "5"]) == 0
    shown = capsys.readouterr().out
    assert "hit rate" in shown
    assert main([*words, "--codes", "nothere", "--on", "app-2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["statuses"]) == ["404"]
    assert result["readings"] == []
    assert main(["load", "--name", "no-such-stack"]) == 1
    assert "no-such-stack" in capsys.readouterr().err
    assert main([*words, "--codes", "a", "--rate", "-1"]) == 1
