"""What a module takes of the nodes of a cluster."""

from ansible_collections.cistern.core.plugins.module_utils.citus.options import CONNECTION, TRANSFER_MODES

NODE = {
    "host": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "default": 5432},
}
NODES = {
    **CONNECTION,
    "coordinator": {"type": "dict", "required": True, "options": NODE},
    "nodes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            **NODE,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "shards": {"type": "bool", "default": True},
        },
    },
    "rebalance": {"type": "bool", "default": False},
    "shard_transfer_mode": {"type": "str", "choices": list(TRANSFER_MODES), "default": "auto"},
    "free_bytes": {"type": "dict", "default": {}},
    "seconds": {"type": "int", "default": 3600},
    "prove": {"type": "bool", "default": False},
    "poll": {"type": "int", "default": 5},
}
