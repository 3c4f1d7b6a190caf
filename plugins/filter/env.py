"""Filters of the application's .env."""

from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv as env
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import env_file as app_env


def app_env_errors(hosts, hostvars, deployments, baseline, cluster=None, policies=None):
    """Return what is wrong with the variables of these application hosts, a sentence each."""
    return app_env.errors(hosts, hostvars, deployments, baseline, cluster, policies)


def app_env_file(host, hostvars, deployments, baseline, cluster=None, policies=None):
    """Return the .env of an application host: {path, owner, group, values, notes, ca}."""
    return app_env.file(host, hostvars, deployments, baseline, cluster, policies)


def env_lines(values):
    """Return the lines of an .env file that every reader takes for exactly these values."""
    return env.lines(values)


class FilterModule:
    def filters(self):
        return {"app_env_errors": app_env_errors, "app_env_file": app_env_file, "env_lines": env_lines}
