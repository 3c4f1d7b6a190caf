"""What may never be shown: the one list that the schema, diffs, steps, messages and logs read."""

import re

HIDDEN = "(hidden)"
# Settings of redis.conf. (The new name of a command is one too: it keeps the command from those who do not know it.)
REDIS = (
    "requirepass",
    "masterauth",
    "primaryauth",
    "user",
    "rename-command",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
)
# Settings of sentinel.conf, behind the word `sentinel`; auth-pass has the name of a deployment before its value.
SENTINEL = ("auth-pass", "sentinel-pass")
# Variables of an inventory, by how they end; a receiver or a route may hold a token.
VARIABLES = ("_password", "_passphrase", "_receivers", "_route")
# Words of a log behind which one may stand: a server repeats the line of a file that it stumbled over.
_WORDS = (*REDIS, *SENTINEL, "AUTH", r"PASSWORD(?=\s+')")
_IN_LOG = re.compile(rf"\b({'|'.join(_WORDS)})(\s+).*", re.IGNORECASE)


def shown(name, value):
    """Return the value of a setting of Redis or Sentinel as a person may read it."""
    if name in REDIS or name in SENTINEL:
        return HIDDEN
    return value if value not in (None, "") else '""'


def masked(line):
    """Return a line of a log without what may be a secret."""
    return _IN_LOG.sub(rf"\1\2{HIDDEN}", line)
