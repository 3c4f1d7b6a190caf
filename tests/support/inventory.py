"""What an inventory says of its hosts, read by Ansible itself with a role's defaults, and SSH to them."""

import os
import tempfile
from pathlib import Path

import testinfra
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import FileVaultSecret
from ansible.template import Templar, trust_as_template
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

ROOT = Path(__file__).resolve().parents[2]
# One SSH connection a host for a whole session; a socket's path must be short.
CONTROL = tempfile.TemporaryDirectory(prefix="cistern-ssh-")
OF_THE_HOST = ("ansible_host", "ansible_user", "ansible_ssh", "ansible_port", "lab_")


def _trusted(value):
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def host_vars_of(inventory, group, role, prefixes):
    """Return {host: variables} of a group of an inventory, or of several laid over each other.

    The variables are those with one of the prefixes and those of the connection; those of the role have its defaults.
    """
    loader = DataLoader()
    password_file = os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE")
    if password_file:
        secret = FileVaultSecret(filename=password_file, loader=loader)
        secret.load()
        loader.set_vault_secrets([("default", secret)])
    hosts = InventoryManager(loader, sources=[str(inventory)] if isinstance(inventory, (str, Path)) else inventory)
    variables = VariableManager(loader, hosts)
    everyone = HostVars(hosts, variables, loader)
    defaults = _trusted(yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text(encoding="utf-8")))
    found = {}
    for host in hosts.get_hosts(group) if group in hosts.groups else []:
        known = {**defaults, **variables.get_vars(host=host), "hostvars": everyone}
        templar = Templar(loader, variables=known)
        wanted = [name for name in known if name.startswith((*prefixes, *OF_THE_HOST))]
        found[host.name] = {name: templar.template(known[name]) for name in wanted}
    return found


def ssh(host_vars, address):
    """Return a host of testinfra, whose commands run as root."""
    return testinfra.get_host(
        f"ssh://{host_vars.get('ansible_user', 'root')}@{address}:{host_vars.get('ansible_port', 22)}",
        sudo=True,
        ssh_identity_file=host_vars.get("ansible_ssh_private_key_file"),
        ssh_extra_args=host_vars.get("ansible_ssh_common_args", ""),
        controlpersist=60,
        controlpath=f"{CONTROL.name}/%%C",
    )
