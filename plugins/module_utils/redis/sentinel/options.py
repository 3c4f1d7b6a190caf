"""What a module takes of the Sentinel of a machine."""

import typing

from ansible_collections.cistern.core.plugins.module_utils.host import files
from ansible_collections.cistern.core.plugins.module_utils.redis import users as redis_users
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import Want

ENDPOINTS = {"type": "list", "elements": "dict", "required": True}
FILE = {key: option for key, option in files.UNIT_OPTIONS.items() if key not in ("manager", "unless_container")}
SENTINEL = {
    "unit": {"type": "str", "required": True},
    "conf": {"type": "dict", "required": True, "options": files.SECRET_OPTIONS},
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE},
    "password": {"type": "str", "required": True, "no_log": True},
    "hooks": {"type": "dict", "default": {}},
    "me": {"type": "str", "default": ""},
    "deployments": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "mode": {"type": "str", "required": True},
            "quorum": {"type": "int", "required": True},
            "auth_pass": {"type": "str", "required": True, "no_log": True},
            "settings": {"type": "dict", "default": {}},
            "initial": {"type": "str", "required": True},
            "nodes": ENDPOINTS,
            "sentinels": ENDPOINTS,
        },
    },
    "users": {"type": "list", "elements": "dict", "default": [], "options": redis_users.OPTIONS},
}


def wanted(params, phase, check=False) -> Want:
    """Return what is wanted of the Sentinel in a phase; `observe` only looks."""
    conf = {**params["conf"], "content": params["conf"]["secret_content"]}
    found = {**params, "conf": conf, "phase": phase, "check": check, "forget": phase == "forget"}
    return typing.cast("Want", found)
