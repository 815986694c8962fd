"""On which services a test runs, where it has to say so: those of a laptop, embedded and real, and the containers."""

import pytest

from tests.contracts.conftest import COMPOSE_LANE

LOCAL = pytest.param("local", marks=pytest.mark.local)
CONTAINERS = pytest.param("compose", marks=COMPOSE_LANE)
LAPTOP = pytest.mark.parametrize("profile", ["embedded", LOCAL], indirect=True)
EVERYWHERE = pytest.mark.parametrize("profile", ["embedded", LOCAL, CONTAINERS], indirect=True)
