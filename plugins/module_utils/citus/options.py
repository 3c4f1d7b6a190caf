"""What every module that asks a database is told: where it is, and as whom. Imports no driver."""

CONNECTION = {
    "database": {"type": "str", "required": True},
    "port": {"type": "int", "default": 5432},
    "socket_dir": {"type": "path", "default": "/var/run/postgresql"},
    "user": {"type": "str", "default": "postgres"},
}
# How shards are moved, in the server's words.
TRANSFER_MODES = ("auto", "force_logical", "block_writes")
