"""`python -m compose.network`: writes edges.json anew."""

from __future__ import annotations

import json
from pathlib import Path

from compose.network import proxies

EDGES = Path(__file__).parent / "edges.json"


def text() -> str:
    return json.dumps(proxies(), indent=1) + "\n"


if __name__ == "__main__":
    EDGES.write_text(text(), "utf-8")
