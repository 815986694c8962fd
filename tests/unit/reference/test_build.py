"""Settings, what a topology looks like, and codes."""

import importlib
import subprocess
import sys

import pytest
from pydantic import ValidationError

from reference.build import HOLDS, SLOTS, build
from reference.platform.settings import LiveSettings, Settings
from reference.shortener import slots


def test_the_environment_is_read_and_keywords_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_ROLE", "app-9")
    monkeypatch.setenv("WORKBENCH_CLICK_BUFFER", "7")
    assert (Settings().role, Settings().click_buffer) == ("app-9", 7)
    assert Settings(role="app-2").role == "app-2"


def test_settings_survive_the_way_to_another_process() -> None:
    settings = Settings(role="balancer", backends={"app-1": 4000}, live=LiveSettings(cache_ttl=5))
    assert Settings(**settings.model_dump(mode="json")) == settings


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [0, -1, 604_801, "long", None])
def test_a_live_setting_out_of_range_names_the_range(value: object) -> None:
    with pytest.raises(ValueError, match=r"1\.0 to 604800\.0 \(seconds"):
        LiveSettings().with_value("cache_ttl", value)


def test_the_picture_shows_what_runs_and_what_is_wrong() -> None:
    topology = build("url-shortener", Settings(servers=2))
    assert [role.name for role in topology.roles] == [
        *("balancer", "app-1", "app-2", "consumer", "keeper-1", "cache", "log", "pool", "store"),
        *("shard-1", "shard-2", "shard-3"),
    ]
    assert {"app-2->cache", "app-1->shard-3", "keeper-1->pool"} <= {edge.name for edge in topology.edges}
    quiet = topology.mermaid()
    assert quiet.startswith("flowchart LR\n")
    assert "-.->" not in quiet
    loud = topology.mermaid({"app-2": "paused", "app-1->cache": "cut"})
    assert 'app_2["app-2: paused"]' in loud
    assert "class app_2 trouble" in loud
    assert loud.count("-.->") == 1


def test_an_edge_stands_in_front_and_spare_shards_and_keepers_are_drawn() -> None:
    topology = build("url-shortener", Settings(servers=1, shards=1, spare_shards=1, keepers=2, edge=True))
    names = [role.name for role in topology.roles]
    assert names[:2] == ["edge", "balancer"]
    assert names[-2:] == ["shard-1", "shard-2"]
    assert {"keeper-1", "keeper-2"} <= set(names)
    picture = topology.mermaid()
    assert "clients([clients]) -->|HTTP| edge" in picture
    assert 'edge -->|"HTTP"| balancer' in picture


def test_every_slot_is_held_somewhere_and_has_its_fillings() -> None:
    assert set(SLOTS) == set(slots.SLOTS)
    assert {slot for held in HOLDS.values() for slot in held} == set(SLOTS)
    for slot in slots.SLOTS.values():
        for module in slot.fillings.values():
            assert hasattr(importlib.import_module(module), slot.class_name)
        assert slot.pure <= set(slot.methods)


FRAMEWORKS = {"fastapi", "sqlalchemy", "asyncpg", "redis", "fakeredis"}


@pytest.mark.parametrize(
    ("kind", "needs"),
    [("balancer", set()), ("edge", set()), ("consumer", {"redis"}), ("app", {"fastapi", "redis"})],
)
def test_a_process_imports_what_it_needs_and_no_more(kind: str, needs: set[str]) -> None:
    program = f"import sys; from reference.build import factory; factory({kind!r}); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) & FRAMEWORKS == needs
