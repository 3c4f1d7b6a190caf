"""Commands that keep a deployment going: each of them has to be there under its name, and to be allowed.

The server's src/replication.c and src/sentinel.c send theirs. One that is refused shows at the next connection only.
"""

TOOLKIT = ("acl", "auth", "bgsave", "command", "config", "info", "module", "ping")
REPLICATION = ("client", "failover", "psync", "replconf", "replicaof", "role", "sync", "wait")
SENTINEL = ("exec", "hello", "multi", "publish", "script", "slaveof", "subscribe")


def needed(mode):
    """Return {command: who sends it} in a deployment of this mode."""
    found = dict.fromkeys(TOOLKIT, "the toolkit")
    if mode in ("replication", "sentinel"):
        found.update(dict.fromkeys(REPLICATION, "replication"))
    if mode == "sentinel":
        found.update(dict.fromkeys(SENTINEL, "Sentinel"))
    return found
