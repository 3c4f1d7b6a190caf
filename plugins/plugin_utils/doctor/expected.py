"""What the doctor looks for on a host: names, places and passwords, worked out from the inventory and the roles."""

from ansible_collections.cistern.core.plugins.module_utils.host.endpoint import connectable
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv as env
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import env_file as app_env
from ansible_collections.cistern.core.plugins.plugin_utils.app_env.hostvars import BROKEN, Wrong
from ansible_collections.cistern.core.plugins.plugin_utils.app_env.schema import defaults as app_env_defaults
from ansible_collections.cistern.core.plugins.plugin_utils.common import hostvars as inventory_host
from ansible_collections.cistern.core.plugins.plugin_utils.common.role_files import ROLES, vars_files

# Listening there is listening everywhere; a connection to them goes to the machine itself.
SECRET_KEYS = ("PASSWORD", "DATABASE_URL")


class Variables:
    """What a host's variables say, with the defaults of a role and what the role derives from them."""

    def __init__(self, action, task_vars, host, role):
        known = {}
        for path in [ROLES / role / "defaults/main.yml", *vars_files(role)]:
            known.update(action._loader.load_from_file(str(path), trusted_as_template=True))
        raw = task_vars["hostvars"].raw_get(host)
        self._templar = action._templar.copy_with_new_env(
            available_variables={
                **known,
                **raw,
                "hostvars": task_vars["hostvars"],
                "groups": task_vars["groups"],
                "inventory_hostname": host,
                "inventory_dir": task_vars.get("inventory_dir", ""),
            }
        )

    def __getitem__(self, expression):
        return self._templar.resolve_variable_expression(expression)


def of_host(action, task_vars, host, inventory):
    """Return the arguments of the module for a host; `inventory` is {deployments, sentinels, cluster}."""
    groups, parts, folders = task_vars["groups"], {}, []
    if host in groups.get("redis", []):
        parts["redis"] = redis(Variables(action, task_vars, host, "redis"))
        folders += [parts["redis"]["folder"], "/var/log/redis"]
    if host in inventory["sentinels"]:
        parts["sentinel"] = sentinel(Variables(action, task_vars, host, "redis"))
    if host in groups.get("app", []):
        parts["app"] = application(host, task_vars["hostvars"], inventory)
    if host in groups.get("citus", []):
        parts["citus"], folder = citus(Variables(action, task_vars, host, "citus"))
        folders.append(folder)
    return {**parts, "folders": list(dict.fromkeys(folders or ["/"]))}


def redis(variables):
    return {
        "unit": variables["__redis_unit"],
        "conf": variables["__redis_conf.path"],
        "log": variables["redis_log_file"],
        "folder": variables["redis_data_dir"],
        "addresses": addresses(variables["redis_bind"]),
        "port": variables["redis_port"],
        "password": variables["redis_password"],
    }


def sentinel(variables):
    return {
        "unit": variables["__redis_sentinel_unit"],
        "conf": variables["__redis_sentinel_conf.path"],
        "log": variables["redis_sentinel_log_file"],
        "addresses": addresses(variables["redis_sentinel_bind"]),
        "port": variables["redis_sentinel_port"],
        "password": variables["redis_sentinel_password"],
    }


def addresses(bind):
    """Return where to connect for where a server listens, the one that others use last."""
    return list(dict.fromkeys(map(connectable, bind if isinstance(bind, list) else [bind])))


def application(host, hostvars, inventory):
    """Return what the .env of a host should say; where the inventory cannot tell, only where it is."""
    try:
        file = app_env.file(host, hostvars, inventory["deployments"], {}, inventory["cluster"])
        values = {name: env.as_text(value) for name, value in file["values"].items()}
        path = file["path"]
    except (Wrong, *BROKEN):
        values, path = {}, hostvars[host].get("app_env_path", app_env_defaults()["app_env_path"])
    own = {name for name in values if name in app_env.COMPUTED}
    return {
        "path": path,
        "values": {name: values[name] for name in own if not name.endswith(SECRET_KEYS)},
        "secrets": {name: values[name] for name in own if name.endswith(SECRET_KEYS)},
    }


def citus(variables):
    """Return what to look for of a node, and the folder of its data."""
    version, cluster = variables["postgresql_version"], variables["citus_cluster"]
    folder = variables["__citus_tls_folder"]
    return {
        "unit": f"postgresql@{version}-{cluster}.service",
        "log": f"/var/log/postgresql/postgresql-{version}-{cluster}.log",
        "addresses": addresses(variables["citus_bind"]),
        "port": variables["citus_port"],
        "certificates": [f"{folder}/node.crt", f"{folder}/ca.crt"],
    }, variables["citus_data_dir"]


def machine(task_vars, host):
    """Return the name of the machine of a host."""
    return " ".join(str(part) for part in inventory_host.machine(task_vars, host))
