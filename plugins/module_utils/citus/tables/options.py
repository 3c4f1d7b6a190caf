"""What a module takes of tables."""

from ansible_collections.cistern.core.plugins.module_utils.citus.options import CONNECTION

TABLES = {**CONNECTION, "tables": {"type": "dict", "required": True}}
