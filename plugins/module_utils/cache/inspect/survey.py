"""Walk every database of a server that has keys, and tell what is in them."""

from ..key_patterns import Families
from .key_stats import Tally
from .walk import Walk


def survey(connect, policy, rate, by="script"):
    """Return {walk, databases}. `connect` takes the number of a database and returns a client of it."""
    client = connect(0)
    walk = Walk(client, rate, by)
    families = Families(policy)
    told = []
    for number in databases(client):
        tally = Tally(policy, families)
        for page in walk.pages_of(connect(number)):
            tally.add(page)
        told.append({"db": number, **tally.told()})
    return {
        "walk": {
            "keys": walk.keys,
            "pages": walk.pages,
            "seconds": round(walk.seconds, 3),
            "rate": rate,
            "server_seconds": round(walk.busy, 3),
            "page_seconds": round(walk.busy / walk.pages, 6) if walk.pages else 0,
            "by": walk.by,
        },
        "databases": told,
    }


def databases(client):
    """Return the numbers of the databases that have keys, 0 always among them."""
    found = {int(name[2:]) for name in client.info("keyspace") if name.startswith("db") and name[2:].isdigit()}
    return sorted({0, *found})
