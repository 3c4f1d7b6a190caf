"""What the role app_env knows of its variables."""

from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files


def defaults():
    """Return the variables of an application host, with what holds where the inventory says nothing."""
    return {name: option["default"] for name, option in role_files.options("app_env").items()}


def ssl_modes():
    """Return how an application may verify its database: libpq's own words; what is weaker may do without TLS."""
    return role_files.options("app_env")["app_env_database_sslmode"]["choices"]
