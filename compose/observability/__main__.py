"""`python -m compose.observability`: writes rules/objectives.yml and dashboards/url-shortener.json anew."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from compose.observability.dashboard import dashboard
from compose.observability.objectives import rules

HERE = Path(__file__).parent
HEAD = "# Made by `python -m compose.observability` from the objectives in the code.\n"


def files() -> dict[Path, str]:
    """By path the text that belongs there."""
    return {
        HERE / "rules/objectives.yml": HEAD + yaml.safe_dump(rules(), sort_keys=False, width=120),
        HERE / "dashboards/url-shortener.json": json.dumps(dashboard(), indent=1) + "\n",
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, "utf-8")
