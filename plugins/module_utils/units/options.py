"""What a module takes of units, their files and their users."""

import typing

from ansible_collections.cistern.core.plugins.module_utils.host import files
from ansible_collections.cistern.core.plugins.module_utils.units.contract import Want

FILE = {
    **files.OPTIONS,
    "content": {"type": "str"},
    "secret_content": {"type": "str", "no_log": True},
    "absent": {"type": "bool", "default": False},
}
UNIT = {
    "name": {"type": "str", "required": True},
    "files": {"type": "list", "elements": "str", "default": []},
    "reloads": {"type": "list", "elements": "str", "default": []},
    "ready": {"type": "str", "default": ""},
    "absent": {"type": "bool", "default": False},
}
CHECK = {
    "command": {"type": "list", "elements": "str", "required": True},
    "files": {"type": "list", "elements": "str", "required": True},
}
UNITS = {
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE},
    "users": {"type": "list", "elements": "str", "default": []},
    "units": {"type": "list", "elements": "dict", "default": [], "options": UNIT},
    "sweep": {"type": "list", "elements": "str", "default": []},
    "where": {"type": "path"},
    "mark": {"type": "path"},
    "checks": {"type": "list", "elements": "dict", "default": [], "options": CHECK},
    "waits": {"type": "bool", "default": False},
    "packages": {"type": "list", "elements": "str", "default": []},
    "claims": {"type": "dict", "default": {}},
}


def wanted(params) -> tuple[Want, set[str]]:
    """Return what is wanted, and the paths whose text is secret."""
    secret = {file["path"] for file in params["files"] if file["secret_content"] is not None}
    merged = [
        {**file, "content": file["secret_content"] if file["path"] in secret else file["content"]}
        for file in params["files"]
    ]
    return typing.cast("Want", {**params, "files": merged}), secret
