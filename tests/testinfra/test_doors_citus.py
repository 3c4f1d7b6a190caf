"""Who must not come in to a node over the network, beside who must: from its address, another machine, and here.

Changes nothing, so it may be asked of production. What a test shows is made here, and a tunnel takes it to where it is
said to come from: no password and no key leaves this machine.
"""

import ipaddress
import re
import tempfile

import certificates
import doors
import psycopg
import pytest

NO_ENTRY = r"no pg_hba\.conf entry"
# what libpq tells of a server that hangs up on a certificate depends on who is faster
HANGS_UP = r"server closed the connection unexpectedly|Broken pipe|reset by peer"
# {what is shown: (the CA of it, its name, its hours)}
SHOWN = {
    "that of a node": ("own", certificates.NODE, (-1, 1)),
    "that of another CA": ("unknown", certificates.NODE, (-1, 1)),
    "an expired one": ("own", certificates.NODE, (-2, -1)),
    "one of another name": ("own", "someone", (-1, 1)),
}
# From the address of a node: {what: (what is shown, as whom, more, why it is refused or None)}
FROM_A_NODE = {
    "superuser": ("that of a node", "postgres", {}, None),
    "application": ("that of a node", "application", {}, None),
    "superuser without a certificate": (None, "postgres", {}, "requires a valid client certificate"),
    "application without a certificate": (None, "application", {}, "requires a valid client certificate"),
    "another CA": ("that of another CA", "postgres", {}, f"unknown ca|alert decrypt error|{HANGS_UP}"),
    "expired": ("an expired one", "postgres", {}, f"certificate expired|{HANGS_UP}"),
    "another name": ("one of another name", "postgres", {}, "certificate authentication failed"),
    "application by another name": ("one of another name", "application", {}, "certificate authentication failed"),
    "without TLS": (None, "postgres", {"sslmode": "disable"}, NO_ENTRY),
    "a role without a line": ("that of a node", "cistern-exporter", {}, NO_ENTRY),
    "another database": ("that of a node", "postgres", {"dbname": "postgres"}, NO_ENTRY),
    "replication": ("that of a node", "postgres", {"replication": "true"}, NO_ENTRY),
}
# From a machine that is no node; the application may come from those of citus_clients, and must have its password.
FROM_ELSEWHERE = {
    "application": (None, "application", {}, None),
    "application with a wrong password": (
        None,
        "application",
        {"password": doors.WRONG},
        "password authentication failed",
    ),
    "application without TLS": (None, "application", {"sslmode": "disable"}, NO_ENTRY),
    "application in another database": (None, "application", {"dbname": "postgres"}, NO_ENTRY),
    "replication": (None, "application", {"replication": "true"}, NO_ENTRY),
    "superuser": (None, "postgres", {}, NO_ENTRY),
    "superuser in another database": (None, "postgres", {"dbname": "postgres"}, NO_ENTRY),
    "superuser with the certificate of a node": ("that of a node", "postgres", {}, NO_ENTRY),
}


@pytest.fixture(scope="session")
def machines(pytestconfig):
    if not hasattr(pytestconfig, "_doors"):
        pytestconfig._doors = doors.read(pytestconfig.getoption("ansible_inventory"))
    return pytestconfig._doors


@pytest.fixture(scope="session")
def wallet(cluster):
    """Return a function: what libpq takes to show one of SHOWN to a node, None where the key of its CA is elsewhere."""
    with tempfile.TemporaryDirectory(prefix="cistern-doors-") as folder:
        made = {}

        def shown(node, what):
            where = node.vars["citus_ca_dir"]
            if (where, what) not in made:
                kind, name, (since, until) = SHOWN[what]
                own = certificates.Authority.of_folder(where, node.vars["citus_ca_passphrase"])
                authority = own if kind == "own" else certificates.Authority.unknown()
                hours = {"since": since * certificates.HOUR, "until": until * certificates.HOUR}
                made[where, what] = authority and authority.certificate_for(f"{folder}/{len(made)}", name, **hours)
            return made[where, what]

        yield shown


@pytest.fixture(scope="session")
def tunnels():
    """Return a function: where a connection to a node starts that comes from a machine."""
    opened = {}

    def tunnel(machine, node):
        if (machine.name, node.name) not in opened:
            opened[machine.name, node.name] = doors.Tunnel(machine, node.vars["citus_address"], node.vars["citus_port"])
        return opened[machine.name, node.name].port

    yield tunnel
    for each in opened.values():
        each.close()


def knock(node, port, shown, user, more):
    """Try to come in; return what the server says, or why it does not."""
    where = {**node.place(), "hostaddr": "127.0.0.1", "port": port, "sslcert": "/nonexistent", **(shown or {})}
    where["user"] = node.vars["citus_role"] if user == "application" else user
    try:
        with psycopg.connect(**{**where, **more}) as connection:
            return (
                "replicates" if "replication" in more else str(connection.execute("SELECT current_user").fetchone()[0])
            )
    except psycopg.OperationalError as error:
        return f"refused: {error}"


def judged(node, what, attempt, answer):
    _shown, user, _more, refused = attempt
    if refused is None:
        assert answer == (node.vars["citus_role"] if user == "application" else user), what
    else:
        assert answer.startswith("refused: ") and re.search(refused, answer), (what, answer)


def other_rules(node, attempt):
    """Whether a rule of the inventory might let in whom the role does not."""
    _shown, user, more, _refused = attempt
    names = {node.vars["citus_role"] if user == "application" else user, "all"}
    rules = [rule for rule in node.vars["citus_hba"] if rule.get("type", "hostssl") != "local"]
    return [rule for rule in rules if {*rule["user"].split(",")} & names]


@pytest.mark.parametrize("what", FROM_A_NODE)
def test_from_the_address_of_a_node_its_certificate_lets_in_and_nothing_else(node, what, machines, wallet, tunnels):
    attempt = FROM_A_NODE[what]
    shown = attempt[0] and wallet(node, attempt[0])
    if attempt[0] and not shown:
        pytest.skip("the key of the CA is not on this machine")
    if attempt[3] and other_rules(node, attempt):
        pytest.skip("citus_hba has a rule for that role")
    [machine] = [each for each in machines.values() if node.name in map(str, each.nodes)]
    judged(node, what, attempt, knock(node, tunnels(machine, node), shown, attempt[1], attempt[2]))


@pytest.mark.parametrize("what", FROM_ELSEWHERE)
def test_from_another_machine_the_application_comes_in_where_it_may(node, what, machines, wallet, tunnels):
    attempt = FROM_ELSEWHERE[what]
    shown = attempt[0] and wallet(node, attempt[0])
    strangers = [each for each in machines.values() if not each.nodes]
    if not strangers:
        pytest.skip("every machine is a node")
    if attempt[0] and not shown:
        pytest.skip("the key of the CA is not on this machine")
    if other_rules(node, attempt):
        pytest.skip("citus_hba has a rule for that role")
    machine = strangers[0]
    comes_from = machine.told["comes_from"][node.vars["citus_address"]]
    if comes_from is None:
        pytest.skip(f"{machine} does not know the address of {node}")
    if attempt[3] != NO_ENTRY and not may_call(node, comes_from):
        attempt = (*attempt[:3], NO_ENTRY)
    judged(node, what, attempt, knock(node, tunnels(machine, node), shown, attempt[1], attempt[2]))


def may_call(node, address):
    """Return whether the application may come from an address; a name counts as none."""
    for network in node.vars["citus_clients"]:
        try:
            if ipaddress.ip_address(address) in ipaddress.ip_network(network):
                return True
        except ValueError:
            continue
    return False
