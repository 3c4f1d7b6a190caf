"""Filters of the application's .env.

Ansible imports every file of filters on its way to one of them, and compiles what it imports anew in each run: what
many of them need stands on top, what one needs alone it imports itself.
"""


def app_env_errors(hosts, hostvars, deployments, baseline, cluster=None, policies=None):
    """Return what is wrong with the variables of these application hosts, a sentence each."""
    from ansible_collections.cistern.core.plugins.plugin_utils.app_env import env_file

    return env_file.errors(hosts, hostvars, deployments, baseline, cluster, policies)


def app_env_file(host, hostvars, deployments, baseline, cluster=None, policies=None):
    """Return the .env of an application host: {path, owner, group, values, notes, ca}."""
    from ansible_collections.cistern.core.plugins.plugin_utils.app_env import env_file

    return env_file.file(host, hostvars, deployments, baseline, cluster, policies)


def env_lines(values):
    """Return the lines of an .env file that every reader takes for exactly these values."""
    from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv

    return dotenv.lines(values)


class FilterModule:
    def filters(self):
        return {"app_env_errors": app_env_errors, "app_env_file": app_env_file, "env_lines": env_lines}
