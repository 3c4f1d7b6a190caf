"""What an application's .env says of its database: the coordinator of a Citus cluster."""

from urllib.parse import quote

from ansible_collections.cistern.core.plugins.plugin_utils.app_env.hostvars import Wrong, endpoint, label_of, password
from ansible_collections.cistern.core.plugins.plugin_utils.app_env.schema import ssl_modes


def database(own, hostvars, cluster):
    """Return ({DATABASE_URL}, where the CA of the nodes has to lie) of the coordinator."""
    mode = own["app_env_database_sslmode"]
    if mode not in ssl_modes():
        where = label_of("app_env_database_sslmode", mode)
        raise Wrong(f"{where}: must be {' or '.join(ssl_modes())}, not {mode!r}")
    coordinator = cluster["coordinator"]
    secret = password(hostvars, coordinator, "citus_password")
    who = ":".join(quote(text, safe="") for text in (cluster["role"], secret))
    ca = f"{str(own['app_env_path']).rpartition('/')[0]}/citus-ca.crt" if mode.startswith("verify") else ""
    options = f"?sslmode={mode}" + (f"&sslrootcert={quote(ca)}" if ca else "")
    return {"DATABASE_URL": f"postgresql://{who}@{endpoint(coordinator)}/{cluster['database']}{options}"}, ca
