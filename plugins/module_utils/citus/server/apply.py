"""Take one step of a plan for the PostgreSQL of a Citus node. No thinking here: that is citus/server/plan.py."""

import os
import subprocess
import time

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus.server import validate as citus_server_candidate
from ansible_collections.cistern.core.plugins.module_utils.citus.server.contract import Certificate, Have, Step, Want
from ansible_collections.cistern.core.plugins.module_utils.citus.server.observe import USER, folder, server, unit
from ansible_collections.cistern.core.plugins.module_utils.host import files, folders, systemd, unit_start
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Unusable

READY_SECONDS = 60


def apply(step: Step, want: Want, have: Have) -> None:
    """Take one step."""
    do = step["do"]
    if do == "create cluster":
        _create(want)
    elif do in ("write", "remove"):
        if step["path"] == want["conf"]["path"]:
            # also where the cluster has only just been made
            citus_server_candidate.meaning(want, [])
        files.write(_file(step, want))
    elif do == "certificate":
        _install_certificate(want["tls"])
    elif do == "start":
        unit_start.run("start", unit(want), _log(want))
        _wait_ready(want, have)
    elif do == "reload":
        _reload(want, have)
    elif do == "restart":
        # after an upgrade these are other libraries than those that run
        citus_server_candidate.meaning(want, [])
        unit_start.run("restart", unit(want), _log(want))
        _wait_ready(want, have)


def _log(want: Want):
    return f"/var/log/postgresql/postgresql-{want['version']}-{want['cluster']}.log"


def _file(step: Step, want: Want):
    return next(file for file in [want["conf"], *want["files"]] if file["path"] == step["path"])


def _install_certificate(tls: Certificate):
    """Put the new key and its certificate in place, one right after the other: connections are made all the time."""
    if not tls["certificate_content"]:
        raise RuntimeError("the CA has given none")
    attributes = {"owner": USER, "group": USER}
    with open(f"{tls['key']}.new", encoding="utf-8") as file:
        key = {"path": tls["key"], "content": file.read(), "mode": "0600", **attributes}
    certificate = {"path": tls["certificate"], "content": tls["certificate_content"], "mode": "0644", **attributes}
    files.write(key)
    files.write(certificate)
    os.unlink(f"{tls['key']}.new")


def _create(want: Want):
    """Make the cluster. What a former one of this name left in its folder would be read silently: it is set aside."""
    path = folder(want)
    if os.path.isdir(path):
        os.rename(path, f"{path}.before-cistern-{int(time.time())}")
    command = ["pg_createcluster", want["version"], want["cluster"], "--datadir", want["data_dir"]]
    command += ["--port", str(want["port"]), "--locale", "C.UTF-8", "--encoding", "UTF8", "--start-conf", "auto"]
    command += ["--", "--data-checksums", "--auth-local=peer", "--auth-host=scram-sha-256"]
    folders.make(os.path.dirname(want["data_dir"]))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pg_createcluster: {(done.stderr or done.stdout).strip()}")
    # its unit is made by a generator
    systemd.do("daemon-reload")


def _reload(want: Want, have: Have):
    """Let the server read its files again; those of pg_hba.conf that it cannot read are put back first."""
    with server(want, have) as connection:
        wrong = citus_sql.rows(
            connection, "SELECT line_number AS line, error FROM pg_hba_file_rules WHERE error IS NOT NULL ORDER BY 1"
        )
        if wrong:
            _put_back(want, have)
            errors = "; ".join(f"line {each['line']}: {each['error']}" for each in wrong)
            raise Unusable(f"pg_hba.conf: {errors}")
        before = citus_sql.rows(connection, "SELECT pg_conf_load_time() AS time")[0]["time"]
        citus_sql.rows(connection, "SELECT pg_reload_conf()")
        until = time.monotonic() + 10
        while citus_sql.rows(connection, "SELECT pg_conf_load_time() AS time")[0]["time"] == before:
            if time.monotonic() > until:
                raise RuntimeError("the server does not read its files again; its log says why")
            time.sleep(0.05)


def _put_back(want: Want, have: Have):
    for file in want["files"]:
        found = have["files"][file["path"]]
        if found and found["text"] is not None and not file.get("absent"):
            files.write({**file, "content": found["text"]})


def _wait_ready(want: Want, have: Have):
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            with server(want, have):
                return
        except (citus_sql.Error, citus_sql.Absent) as error:
            if time.monotonic() > until:
                raise RuntimeError(f"{want['cluster']} does not answer after {READY_SECONDS} s: {error}") from error
            time.sleep(0.2)
