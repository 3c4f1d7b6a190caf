"""What there is of a Citus node on this machine: packages, cluster, files, certificate, server. Reads only."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import re
import subprocess

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus.server import certificate as citus_certificate
from ansible_collections.cistern.core.plugins.module_utils.citus.server.contract import (
    Database,
    FoundDatabase,
    Have,
    Request,
    Running,
)
from ansible_collections.cistern.core.plugins.module_utils.host import facts as machine
from ansible_collections.cistern.core.plugins.module_utils.host import files, folders, libraries, systemd

ETC, SOCKETS, USER = "/etc/postgresql", "/var/run/postgresql", "postgres"


def unit(want: Request) -> str:
    return f"postgresql@{want['version']}-{want['cluster']}.service"


def folder(want: Request) -> str:
    """Return the folder of the cluster's configuration."""
    return f"{ETC}/{want['version']}/{want['cluster']}"


def observe(want: Request) -> Have:
    """Return what is there; `running` is None where the server does not answer."""
    facts = machine.observe(want["packages"], want["other_files"], want.get("claims"))
    paths = [want["conf"]["path"], *[file["path"] for file in want["files"]]]
    have: Have = {
        "facts": facts,
        "version": installed_version(want["version"]),
        "exists": os.path.exists(f"{folder(want)}/postgresql.conf"),
        "files": files.observe(paths),
        "unit": systemd.observe(unit(want)),
        "tls": citus_certificate.observe(want["tls"]),
        "free_bytes": _free_bytes(want["data_dir"]),
        "running": None,
        "database": None,
        "meant": {},
        "versions": {},
    }
    if not have["exists"]:
        # what a former cluster left there is set aside as this one is made
        have["files"].update({path: None for path in paths if path.startswith(f"{folder(want)}/")})
    if have["unit"]["active"] in ("active", "reloading"):
        with server(want, have) as connection:
            running = have["running"] = _running(connection)
            database = have["database"] = _database(connection, want["database"])
        if database["exists"]:
            with server(want, have, want["database"]["name"]) as connection:
                database["extensions"], database["library"] = _extensions(connection)
        have["versions"] = _versions(want, have, running, database)
    return have


def wrong(want: Request) -> list[str]:
    """Return what cannot work here: a folder on the way is closed to the server, or a Python has no library."""
    text = folders.closed_to(want["data_dir"], USER)
    found = [f"citus_data_dir: {text}; let it pass (chmod o+x), or write another path"] if text else []
    packages = ["python3-psycopg2", "python3-cryptography"]
    return found + libraries.lacking(["psycopg2", "cryptography"], packages)


def server(want: Request, have: Have, database="postgres"):
    """Return a connection to the server of this machine, which closes at the end of a with statement."""
    connection_args = {"port": port_on_disk(want, have), "socket_dir": SOCKETS, "user": USER, "database": database}
    return contextlib.closing(citus_sql.connect(connection_args))


def _free_bytes(path):
    """Return the space that is left where the data lies, or will lie."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def installed_version(major) -> tuple[int, int] | None:
    """Return the version of the installed server, (15, 20), or None."""
    program = f"/usr/lib/postgresql/{major}/bin/postgres"
    if not os.path.exists(program):
        return None
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2])) if found else (int(major), 0)


def port_on_disk(want: Request, have: Have) -> int:
    """Return the port that the server runs with: until it restarts, that of its file of before."""
    on_disk = have["files"].get(want["conf"]["path"])
    text = (on_disk["text"] if on_disk else None) or ""
    for line in _postmaster(want):
        return int(line)
    found = re.search(r"^port = (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else want["port"]


def _postmaster(want: Request):
    """Yield the port of postmaster.pid, its fourth line, where there is one."""
    try:
        with open(f"{want['data_dir']}/postmaster.pid", encoding="utf-8") as file:
            yield file.read().splitlines()[3]
    except (OSError, IndexError):
        return


def _running(connection) -> Running:
    rows = citus_sql.rows(
        connection,
        "SELECT name, setting, unit, context, pending_restart, source, sourcefile, "
        "current_setting(name, true) AS shown FROM pg_settings",
    )
    return {
        "settings": {row["name"]: row for row in rows},
        "version": next(row["setting"] for row in rows if row["name"] == "server_version").split()[0],
        "standby": citus_sql.rows(connection, "SELECT pg_is_in_recovery() AS standby")[0]["standby"],
    }


def _database(connection, want: Database) -> FoundDatabase:
    """Return {exists, owner, role, observers}; `role` is None, or {login, password}: whether each is as it is wanted.

    `observers` are roles of programs of ours that read the server's statistics.
    """
    databases = citus_sql.rows(
        connection, "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = %s", [want["name"]]
    )
    roles = citus_sql.rows(
        connection, "SELECT rolcanlogin AS login, rolpassword AS hash FROM pg_authid WHERE rolname = %s", [want["role"]]
    )
    observers = citus_sql.rows(
        connection,
        "SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname LIKE 'cistern-%' "
        "AND pg_has_role(oid, 'pg_monitor', 'MEMBER')",
    )
    role = {"login": roles[0]["login"], "password": fits(want["password"], roles[0]["hash"])} if roles else None
    return {
        "exists": bool(databases),
        "owner": databases[0]["owner"] if databases else None,
        "role": role,
        "observers": [row["name"] for row in observers],
    }


def _extensions(connection) -> tuple[dict, str]:
    rows = citus_sql.rows(
        connection,
        "SELECT name, installed_version AS has, default_version AS offers FROM pg_available_extensions "
        "WHERE name IN ('citus', 'citus_columnar')",
    )
    found = {row["name"]: {"has": row["has"], "offers": row["offers"]} for row in rows}
    has_citus = found.get("citus", {}).get("has")
    return found, citus_sql.value(connection, "SELECT citus_version()") if has_citus else ""


def _versions(want: Request, have: Have, running: Running, database: FoundDatabase) -> dict[str, tuple[str, str]]:
    """Return {what: (runs, is installed)} of the server and of Citus; a package that was replaced waits for a restart.

    In a check run of an upgrade, what is about to be installed counts.
    """
    coming = {name: upgrade["gets"] for name, upgrade in want["upgrades"].items()}
    has = release(coming.get(f"postgresql-{want['version']}")) or ".".join(map(str, have["version"] or ()))
    found = {"postgresql": (running["version"], has)}
    library = release((database.get("library") or "").removeprefix("Citus "))
    for name, package in have["facts"]["packages"].items():
        installed = release(coming.get(name, package["version"]))
        if library and installed and name.startswith(f"postgresql-{want['version']}-citus"):
            found["citus"] = (library, installed)
    return found


def release(version):
    """Return what of a version says which release it is: 13.2.1.citus-1 is 13.2.1, and 15.20-0+deb12u1 is 15.20."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", version or "")
    return found[1] if found else ""


def fits(password, verifier):
    """Whether a password is the one of a verifier, SCRAM-SHA-256$<iterations>:<salt>$<stored>:<server> (RFC 5803)."""
    found = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)", verifier or "")
    if not found:
        return False
    iterations, salt, stored, _server = found.groups()
    with contextlib.suppress(ValueError):  # the server takes one that cannot be prepared as it is
        # here, and not on top: who has Redis alone needs no collection of PostgreSQL on the controller
        from ansible_collections.community.postgresql.plugins.module_utils.saslprep import saslprep

        password = saslprep(password)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    key = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(hashlib.sha256(key).digest()).decode(), stored)
