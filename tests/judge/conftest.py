"""What the tests of the judge share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def slot() -> str:
    return "url-shortener/redirect-cache"


@pytest.fixture(scope="session")
def reference() -> str:
    return (ROOT / "reference/shortener/redirect_cache.py").read_text()


@pytest.fixture(scope="session")
def plain() -> str:
    return (ROOT / "reference/shortener/plain/redirect_cache.py").read_text()
