"""What a module takes of an instance, and what that means on this machine."""

import typing

from ansible_collections.cistern.core.plugins.module_utils.host import files, kernel
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.contract import Want

INSTANCE = {
    "unit": {"type": "str", "required": True},
    "conf": {"type": "dict", "required": True, "options": files.SECRET_OPTIONS},
    "files": {"type": "list", "elements": "dict", "default": [], "options": files.UNIT_OPTIONS},
    "kernel": {"type": "dict", "default": {}},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "immutable": {"type": "dict", "required": True},
    "aliases": {"type": "dict", "default": {}},
    "users": {"type": "list", "elements": "dict", "default": [], "options": redis_users.OPTIONS},
    "deployment": {"type": "dict", "default": {}},
    "sentinel_password": {"type": "str", "default": "", "no_log": True},
}


def wanted(params, phase) -> Want:
    """Return what is wanted of the instance in a phase; `observe` only looks, and waits for nobody."""
    found = {
        "force_restart": False,
        **params,
        "conf": {**params["conf"], "content": params["conf"]["secret_content"]},
        "files": [
            {**file, "absent": file["absent"] or (file["unless_container"] and kernel.in_container())}
            for file in params["files"]
        ],
        "phase": phase,
        "restart": phase == "restart",
        # a failover is waited for where something is to be done, not where it is only looked
        "patience": 0 if phase == "observe" else 30,
    }
    return typing.cast("Want", found)
