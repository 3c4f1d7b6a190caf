"""What a module takes of the server of a Citus node."""

from ansible_collections.cistern.core.plugins.module_utils.host import files

FILE = {**files.OPTIONS, "content": {"type": "str"}, "absent": {"type": "bool", "default": False}}
NODE = {
    "version": {"type": "str", "required": True},
    "cluster": {"type": "str", "required": True},
    "data_dir": {"type": "path", "required": True},
    "port": {"type": "int", "required": True},
    "address": {"type": "str", "required": True},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "nodes": {"type": "int", "required": True},
    "clients": {"type": "int", "required": True},
    "layers": {"type": "list", "elements": "dict", "default": []},
    "conf": {"type": "dict", "required": True, "options": FILE},
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE},
    "tls": {"type": "dict", "required": True},
    "database": {"type": "dict", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "packages": {"type": "list", "elements": "str", "default": []},
    "other_files": {"type": "list", "elements": "str", "default": []},
    "claims": {"type": "dict", "default": {}},
}
