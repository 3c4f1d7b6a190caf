"""New settings, read by the installed server before they replace anything."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile

from ansible_collections.cistern.core.plugins.module_utils.citus.server.contract import Want
from ansible_collections.cistern.core.plugins.module_utils.citus.server.observe import USER, folder
from ansible_collections.cistern.core.plugins.module_utils.host.errors import Unusable

# What the server looks into before it could start.
OF_DATA = ("PG_VERSION", "postgresql.auto.conf", "global/pg_control")


def meaning(want: Want, names) -> dict[str, str]:
    """Return {name: value as pg_settings has it} of the new settings; raise Unusable where the server refuses them.

    It loads its libraries too, so that one that does not fit the server is found before a restart.
    """
    with _candidate(want) as command:
        found = {name: _query(command, name) for name in names}
        # computed at a start: the last thing before the server would begin its work
        _query(command, "shared_memory_size")
        return found


def _query(command, name):
    done = subprocess.run([*command, "-C", name], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise Unusable(_reason(done.stderr))
    return done.stdout.strip()


@contextlib.contextmanager
def _candidate(want: Want):
    """Yield the command of a server that would run with the new settings, on copies of what it looks into."""
    work = tempfile.mkdtemp(prefix="cistern-postgres-")
    try:
        shutil.copytree(folder(want), f"{work}/conf")
        path = f"{work}/conf{want['conf']['path'].removeprefix(folder(want))}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(want["conf"]["content"] or "")
        # Citus makes a folder in base/ as it is loaded
        for name in ("base", "global"):
            os.makedirs(f"{work}/data/{name}")
        for name in OF_DATA:
            if os.path.exists(f"{want['data_dir']}/{name}"):
                shutil.copy(f"{want['data_dir']}/{name}", f"{work}/data/{name}")
        _give(work)
        program = f"/usr/lib/postgresql/{want['version']}/bin/postgres"
        yield [
            *["runuser", "-u", USER, "--", program],
            *["-c", f"config_file={work}/conf/postgresql.conf", "-c", f"data_directory={work}/data"],
        ]
    finally:
        shutil.rmtree(work)


def _give(work):
    owner = pwd.getpwnam(USER)
    for path, _folders, names in os.walk(work):
        for each in [path, *[f"{path}/{name}" for name in names]]:
            os.chown(each, owner.pw_uid, owner.pw_gid)
    os.chmod(f"{work}/data", 0o700)


def _reason(output):
    """Return what the server complains of: its own lines without times, and without what only sums them up."""
    lines = []
    for line in output.splitlines():
        _time, mark, text = line.rpartition(":  ")
        if mark and not text.startswith("skipping missing") and "contains errors" not in text:
            lines.append(text.split(' in file "')[0])
    return "; ".join(lines) or output.strip()
