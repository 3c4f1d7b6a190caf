"""Options of modules that talk to PostgreSQL on its own machine."""


class ModuleDocFragment:
    DOCUMENTATION = """
options:
  database: {description: The database., type: str, required: true}
  port: {description: Port of the server., type: int, default: 5432}
  socket_dir: {description: Folder of the server's socket., type: path, default: /var/run/postgresql}
  user: {description: "Role to connect as, and the OS user that may.", type: str, default: postgres}
"""
    # how shards are moved, and how it is followed
    MOVES = """
options:
  shard_transfer_mode:
    description: How Citus moves a shard.
    type: str
    choices: [auto, force_logical, block_writes]
    default: auto
  seconds: {description: How long shard moves may take., type: int, default: 3600}
  poll: {description: After how many seconds a run returns to tell how far the moves are., type: int, default: 5}
"""
