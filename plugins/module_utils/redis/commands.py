"""Commands that keep a deployment going: each of them has to be there under its name, and to be allowed.

The server's src/replication.c and src/sentinel.c send theirs. One that is refused shows at the next connection only.
"""

from ansible_collections.cistern.core.plugins.module_utils.redis import modes

TOOLKIT = ("acl", "auth", "bgsave", "command", "config", "info", "module", "ping")
REPLICATION = ("client", "failover", "psync", "replconf", "replicaof", "role", "sync", "wait")
SENTINEL = ("exec", "hello", "multi", "publish", "script", "slaveof", "subscribe")


def needed(mode):
    """Return {command: who sends it} in a deployment of this mode."""
    found = dict.fromkeys(TOOLKIT, "the toolkit")
    if modes.of(mode).replicated:
        found.update(dict.fromkeys(REPLICATION, "replication"))
    if modes.of(mode).has_sentinels:
        found.update(dict.fromkeys(SENTINEL, "Sentinel"))
    return found
