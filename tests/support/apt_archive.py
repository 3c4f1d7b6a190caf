"""A signed APT repository on a lab host: /srv/archive there, served at http://ADDRESS:8099/archive.

Tests put packages into its pool, of Redis and of Citus; who serves it, signs it and hands out its key is here.
"""

import shlex
import subprocess

import instances
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

POOL = "/srv/archive/pool"

TOOLS = """
set -eu
export DEBIAN_FRONTEND=noninteractive
command -v apt-ftparchive gpg > /dev/null || {
    apt-get update -q
    apt-get install -qy --no-install-recommends apt-utils gnupg
}
mkdir -p /srv/archive/pool
# a name and version of its own for everything, so that only this repository can have delivered it
[ -e /root/archive.gpg ] || {
    gpg --batch --passphrase '' --quick-generate-key archive@example.com default default never
    gpg --armor --export archive@example.com > /root/archive.gpg
}
"""

SERVE = """
set -eu
systemctl is-active --quiet archive ||
    systemd-run --unit archive --working-directory /srv python3 -m http.server --bind BIND 8099
"""

LISTS = """
set -eu
cd /srv
lists=archive/dists/SUITE/main/binary-amd64
mkdir -p $lists
apt-ftparchive packages archive/pool | sed 's#^Filename: archive/#Filename: #' > $lists/Packages
cd archive/dists/SUITE
apt-ftparchive -o APT::FTPArchive::Release::Suite=SUITE -o APT::FTPArchive::Release::Components=main \
    -o APT::FTPArchive::Release::Architectures=amd64 release . > /root/Release
mv /root/Release Release
gpg --batch --yes --clearsign --output InRelease Release
"""


def hosts(inventory, group):
    """Return the hosts of a group to run commands on. They need not have a Redis, nor its variables."""
    loader = DataLoader()
    manager = InventoryManager(loader, sources=[str(inventory)])
    variables = VariableManager(loader, manager)
    found = []
    for host in manager.get_hosts(group) if group in manager.groups else []:
        known = variables.get_vars(host=host)
        templar = Templar(loader, variables=known)
        prefixes = ("ansible_host", "ansible_user", "ansible_ssh", "ansible_port", "lab_network")
        wanted = [name for name in known if name.startswith(prefixes)]
        own = {name: templar.template(known[name]) for name in wanted}
        found.append(instances.Instance(host.name, {**own, "redis_instance": ""}))
    return found


def prepare(instance):
    """Install the tools, make the pool and a key."""
    instance.run(TOOLS)


def serve(instance, bind="127.0.0.1"):
    """Serve /srv/archive: to the host alone, or by 0.0.0.0 to the others of its network."""
    instance.run(SERVE.replace("BIND", bind))


def publish(instance, suite):
    """Write and sign the lists of what is in the pool."""
    instance.run(LISTS.replace("SUITE", suite))


def fetch_key(instance, name):
    """Keep the key, armoured, in the lab's folder, where the inventories find it."""
    key = instances.ROOT / "lab/.state" / name
    key.write_text(instance.run("cat /root/archive.gpg") + "\n", encoding="utf-8")


def pipe(instance, command, data=b""):
    """Run a command as root with bytes on its input. Returns its output as bytes, which `run` cannot."""
    host_vars = instance.vars
    ssh = [
        "ssh",
        *shlex.split(host_vars.get("ansible_ssh_common_args", "")),
        "-p",
        str(host_vars.get("ansible_port", 22)),
    ]
    if "ansible_ssh_private_key_file" in host_vars:
        ssh += ["-i", host_vars["ansible_ssh_private_key_file"]]
    ssh += [f"{host_vars.get('ansible_user', 'root')}@{instance.address}", f"sudo sh -c {shlex.quote(command)}"]
    done = subprocess.run(ssh, input=data, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{instance}: `{command}` failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
