"""What the tests of a cache have in common."""

import pytest


@pytest.fixture(autouse=True)
def as_the_inventory_says(everyone):
    """A test that changes a setting sets it back; here the keys alone are taken away."""
    yield
    for instance in everyone.values():
        if instance.redis().execute_command("ROLE")[0] == "master":
            instance.redis().flushall()
