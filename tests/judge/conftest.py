"""What the tests of the judge share."""

import pytest

from grading.matrix import filling

SLOT = "url-shortener/redirect-cache"


@pytest.fixture(scope="session")
def slot() -> str:
    return SLOT


@pytest.fixture(scope="session")
def reference() -> str:
    return filling(SLOT, "reference")


@pytest.fixture(scope="session")
def plain() -> str:
    return filling(SLOT, "plain")
