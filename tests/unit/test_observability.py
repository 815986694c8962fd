"""The rules and the dashboard in the repository are those that the code makes, and no panel is empty by its making."""

from compose.observability.__main__ import files
from compose.observability.dashboard import dashboard
from compose.observability.objectives import BURNS, EVENTS, WINDOWS, rules
from reference.shortener.objectives import OBJECTIVES


def test_the_files_are_the_newest() -> None:
    for path, text in files().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run python -m compose.observability"


def test_every_objective_has_its_rules_or_a_reason() -> None:
    assert {each.name for each in OBJECTIVES} - set(EVENTS) == {"clicks counted"}
    recorded, burning = rules()["groups"]
    assert len(recorded["rules"]) == len(EVENTS) * len(WINDOWS)
    assert len(burning["rules"]) == len(EVENTS) * len(BURNS)
    assert {window for burn in BURNS for window in (burn.long, burn.short)} == set(WINDOWS)


def test_the_panels_lie_beside_one_another() -> None:
    panels = dashboard()["panels"]
    assert len({each["id"] for each in panels}) == len(panels)
    cells = set()
    for each in panels:
        place = each["gridPos"]
        covered = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not covered & cells, each["title"]
        assert max(x for x, _ in covered) < 24
        cells |= covered
