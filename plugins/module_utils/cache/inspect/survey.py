"""Scan every database of a server that has keys, and report what is in them."""

from ..key_patterns import Families
from .key_stats import Tally
from .walk import Scan


def survey(connect, policy, rate, by="script"):
    """Return {walk, databases}. `connect` takes the number of a database and returns a client of it."""
    client = connect(0)
    scan = Scan(client, rate, by)
    families = Families(policy)
    found = []
    for number in databases(client):
        tally = Tally(policy, families)
        for page in scan.pages_of(connect(number)):
            tally.add(page)
        found.append({"db": number, **tally.summary()})
    return {
        "walk": {
            "keys": scan.keys,
            "pages": scan.pages,
            "seconds": round(scan.seconds, 3),
            "rate": rate,
            "server_seconds": round(scan.busy, 3),
            "page_seconds": round(scan.busy / scan.pages, 6) if scan.pages else 0,
            "by": scan.by,
        },
        "databases": found,
    }


def databases(client):
    """Return the numbers of the databases that have keys, 0 always among them."""
    found = {int(name[2:]) for name in client.info("keyspace") if name.startswith("db") and name[2:].isdigit()}
    return sorted({0, *found})
