"""Which instances and nodes to look at: those of the inventory given with --ansible-inventory."""

import instances
import nodes
import pytest


def pytest_generate_tests(metafunc):
    if "node" in metafunc.fixturenames:
        found = _cluster(metafunc.config)
        metafunc.parametrize("node", found.values(), ids=list(found), scope="session")

    if "instance" in metafunc.fixturenames:
        found = _found(metafunc.config)
        metafunc.parametrize("instance", found.values(), ids=list(found), scope="session")

    if "members" in metafunc.fixturenames:
        replicated = {}
        for instance in _found(metafunc.config).values():
            if instance.vars["redis_mode"] != "standalone":
                replicated.setdefault(instance.vars["redis_deployment"], []).append(instance)
        metafunc.parametrize("members", replicated.values(), ids=list(replicated), scope="session")


def _inventory(config):
    inventory = config.getoption("ansible_inventory")
    if not inventory:
        raise pytest.UsageError("which inventory? --ansible-inventory=inventories/<environment>")
    return inventory


def _found(config):
    if not hasattr(config, "_instances"):
        config._instances = instances.read(_inventory(config))
    return config._instances


def _cluster(config):
    if not hasattr(config, "_nodes"):
        config._nodes = nodes.read(_inventory(config))
    return config._nodes


@pytest.fixture(scope="session")
def cluster(pytestconfig):
    """The nodes of Citus, by name."""
    return _cluster(pytestconfig)


@pytest.fixture(scope="session")
def coordinator(cluster):
    if not cluster:
        pytest.skip("the inventory has no Citus")
    return nodes.coordinator_of(cluster)


@pytest.fixture(scope="session")
def everyone(pytestconfig):
    """All instances, by name."""
    return _found(pytestconfig)


def pytest_unconfigure(config):
    instances.close(getattr(config, "_instances", {}))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure comes with the last words of the unit it is about."""
    report = yield
    instance = getattr(item, "funcargs", {}).get("instance")
    if report.failed and instance is not None:
        journal = instance.host.run(
            f"journalctl --no-pager --output=short-iso --lines=20 --unit={instance.unit}; "
            f"tail -20 {instance.vars['redis_log_file']}"
        )
        report.sections.append((f"journal and log of {instance}", journal.stdout))
    return report
