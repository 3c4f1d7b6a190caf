"""What a change or a fault does to a live Citus cluster: its nodes, the spare worker, a writer."""

import citus_load
import nodes
import pytest
import states


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.failed = report.failed
    return report


@pytest.fixture(autouse=True)
def as_the_inventory_says(request, playbook, cluster):
    """A test sets back what it changes and proves it. Only after one that fails a run has to do so."""
    yield
    if getattr(request.node, "failed", False):
        states.mend(playbook, cluster.values())


@pytest.fixture(scope="session")
def joined(inventory):
    """The nodes by name, with the spare worker."""
    found = nodes.read([inventory, states.JOINED[1]])
    assert all("lab_network" in node.vars for node in found.values()), "these tests break hosts: on a lab only"
    return found


@pytest.fixture(scope="session")
def cluster(joined):
    """The nodes of the inventory, by name."""
    return {name: node for name, node in joined.items() if name != states.SPARE}


@pytest.fixture(scope="session")
def coordinator(cluster):
    return nodes.coordinator_of(cluster)


@pytest.fixture(scope="session")
def workers(cluster):
    return nodes.workers_of(cluster)


@pytest.fixture(scope="session")
def spare(joined):
    return joined[states.SPARE]


@pytest.fixture
def tables(playbook, coordinator):
    """The application's tables, distributed as the inventory says, and conversations to write into."""
    if states.distributed(coordinator) != set(coordinator.vars["citus_tables"]):
        states.migrate(coordinator)
        playbook.run()
    with coordinator.connect() as connection:
        citus_load.prepare(connection)


@pytest.fixture
def load(tables, coordinator):
    return citus_load.Load(coordinator.place())
