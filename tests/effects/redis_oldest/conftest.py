"""The deployment of the oldest Redis, and who is its primary."""

import instances
import pytest
from load import Load


@pytest.fixture(autouse=True)
def as_the_inventory_says():
    """A test that changes a setting sets it back: a run after each would take longer than the tests."""


@pytest.fixture
def primary(everyone):
    """Return a function that tells the one primary that there is."""

    def find():
        [found] = instances.primaries(everyone)
        return found

    return find


@pytest.fixture
def load(everyone):
    some = next(iter(everyone.values()))
    return Load(
        [(each.address, each.vars["redis_sentinel_port"]) for each in everyone.values()],
        "cache",
        password=some.vars["redis_password"],
        sentinel_password=some.vars["redis_sentinel_password"],
    )
