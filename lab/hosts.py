#!/usr/bin/env python3
"""Start and stop the test hosts of an inventory: booted machines, made with podman on this one.

    lab/hosts.py up    -i inventories/lab               start what is missing, wait until every host is ready
    lab/hosts.py show  -i inventories/lab               the hosts, their addresses and containers, and how to use them
    lab/hosts.py down  -i inventories/lab               remove the hosts and the network of this inventory
    lab/hosts.py down  --all [--images]                 of every inventory, and the host images too

The inventory says everything: `lab_network` and `lab_subnet` for all hosts; for each host `ansible_host` and, when
wanted, `lab_suite` (bookworm, noble, ...; the machine's own when left out), `lab_os_release` (a file of lab/os-release:
the host says that it is that system) and `lab_memory` (512m). Inventory hosts with one address are one machine, whose
container is named cistern-<lab_network>-<first of its hosts>.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LAB = Path(__file__).resolve().parent
READY_SECONDS = 60
INOTIFY_INSTANCES = 1024  # a host takes five or six of them; 128 is usual


class LabError(Exception):
    """Something an operator can act on; printed as one sentence."""


def run(*command, check=True):
    """The output of a command; its own words when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise LabError(f"`{' '.join(map(str, command))}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip() if done.returncode == 0 else ""


def podman(*command, check=True):
    return run(LAB / "podman", *command, check=check)


def read_inventory(path):
    """The network of an inventory and its machines: [{name, names, address, suite, os_release, memory}]."""
    tool = shutil.which("ansible-inventory", path=f"{sys.prefix}/bin:{LAB.parent}/.venv/bin:{os.environ['PATH']}")
    if not tool:
        raise LabError("ansible-inventory is not installed: run lab/bootstrap first")
    hostvars = json.loads(run(tool, "-i", path, "--list"))["_meta"]["hostvars"]
    if not hostvars:
        raise LabError(f"{path} has no hosts")
    by_address = {}
    for name in sorted(hostvars):
        own = hostvars[name]
        missing = [key for key in ("lab_network", "lab_subnet", "ansible_host") if key not in own]
        if missing:
            raise LabError(f"{name} in {path} has no {missing[0]}, so it is not a host of the lab")
        by_address.setdefault(own["ansible_host"], []).append(name)
    machines = []
    for address, names in by_address.items():
        own = hostvars[names[0]]
        machines.append(
            {
                "name": f"cistern-{own['lab_network']}-{names[0]}",
                "names": names,
                "address": address,
                "suite": own.get("lab_suite", ""),
                "os_release": own.get("lab_os_release", ""),
                "memory": own.get("lab_memory", ""),
            }
        )
    return own["lab_network"], own["lab_subnet"], machines


def containers(network=None):
    """Our containers by name: {name: {recipe, state}}; of one network, or of all."""
    label = f"cistern.network={network}" if network else "cistern.network"
    found = json.loads(podman("ps", "--all", "--filter", f"label={label}", "--format", "json") or "[]")
    return {each["Names"][0]: {"recipe": each["Labels"]["cistern.recipe"], "state": each["State"]} for each in found}


def start(machine, network, existing):
    """Bring one machine to life; one whose description changed is made anew. Returns what was done."""
    recipe = hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()[:12]
    have = existing.get(machine["name"], {"recipe": None, "state": None})
    if have["recipe"] == recipe:
        if have["state"] == "running":
            return "is up"
        # One that was only created comes from a run that was interrupted before it was complete.
        verb = {"exited": "start", "stopped": "start", "paused": "unpause"}.get(have["state"])
        if verb:
            podman(verb, machine["name"])
            return "started again"
    if have["state"]:
        podman("rm", "--force", "--time", "0", machine["name"])
    options = ["--systemd=always", "--name", machine["name"], "--hostname", machine["names"][0]]
    # A rebooted machine keeps its hardware address; a new one each time would not be found until ARP entries age.
    hardware = "02:00:" + ":".join(f"{int(part):02x}" for part in machine["address"].split("."))
    options += ["--network", f"cistern-{network}", "--ip", machine["address"], "--mac-address", hardware]
    options += [word for name in machine["names"] for word in ("--network-alias", name)]
    options += ["--label", f"cistern.network={network}", "--label", f"cistern.recipe={recipe}"]
    if machine["memory"]:
        options += ["--memory", machine["memory"]]
    podman("create", *options, machine["image"], "/sbin/init")
    if machine["os_release"]:
        podman("cp", LAB / "os-release" / machine["os_release"], f"{machine['name']}:/usr/lib/os-release")
    podman("start", machine["name"])
    return "made"


def wait_until_ready(machine):
    """systemd has finished booting and sshd answers. Returns what systemd says: running, or degraded."""
    # Asked again and again: --wait would wait for ever for a systemd that is stuck.
    ask = [LAB / "podman", "exec", machine["name"], "systemctl", "is-system-running"]
    deadline = time.monotonic() + READY_SECONDS
    state = ""
    while time.monotonic() < deadline:
        state = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
        if state in ("running", "degraded") and ssh_answers(machine["address"]):
            return state
        time.sleep(0.2)
    raise LabError(
        f"{machine['name']} was not ready after {READY_SECONDS} s (systemd: {state or 'no answer'}); "
        f"`lab/podman exec {machine['name']} journalctl --priority warning` says more"
    )


def ssh_answers(address):
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            return connection.recv(64).startswith(b"SSH-")
    except OSError:
        return False


def raise_inotify_limit():
    """Root's inotify instances are shared by the systemds of all hosts; without one, a host hangs half-booted."""
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < INOTIFY_INSTANCES:
        as_root = [] if os.geteuid() == 0 else ["sudo"]
        run(*as_root, "sh", "-c", f"echo {INOTIFY_INSTANCES} > {limit}")
        print(f"fs.inotify.max_user_instances raised to {INOTIFY_INSTANCES} until this machine boots again")


def make_image(suite):
    """The image of a suite; making a new one takes a minute and says so on stderr."""
    done = subprocess.run([LAB / "image", *([suite] if suite else [])], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise LabError(f"there is no image for {suite or 'this machine'}")
    return done.stdout.strip()


def up(path):
    network, subnet, machines = read_inventory(path)
    suites = {machine["suite"] for machine in machines}
    with ThreadPoolExecutor() as pool:
        images = dict(zip(suites, pool.map(make_image, suites), strict=True))
    for machine in machines:
        machine["image"] = images[machine["suite"]]
    raise_inotify_limit()
    existing = containers(network)
    gone = set(existing) - {machine["name"] for machine in machines}
    if gone:
        podman("rm", "--force", "--time", "0", *gone)
    if subprocess.run([LAB / "podman", "network", "exists", f"cistern-{network}"]).returncode:
        podman("network", "create", "--subnet", subnet, "--label", "cistern.lab=network", f"cistern-{network}")
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda machine: start(machine, network, existing), machines))
        states = list(pool.map(wait_until_ready, machines))
    for machine, what, state in zip(machines, done, states, strict=True):
        print(f"{machine['name']:<32} {machine['address']:<16} {what}, {state}")


def show(path):
    existing = containers()
    _, _, machines = read_inventory(path)
    for machine in machines:
        state = existing.get(machine["name"], {"state": "not there"})["state"]
        print(f"  {', '.join(machine['names']):<26} {machine['address']:<15} {machine['name']:<30} {state}")
    first = machines[0]
    print(f"""
  log in      ssh -i lab/.state/id_ed25519 -o UserKnownHostsFile=lab/.state/known_hosts ops@{first["address"]}
  or, as root lab/podman exec -it {first["name"]} bash
  reboot      lab/podman restart {first["name"]}
  next        . .venv/bin/activate; change something in {path}/group_vars, then
              ansible-playbook -i {path} playbooks/site.yml --check --diff     # what would be done
              ansible-playbook -i {path} playbooks/site.yml                    # do it
              make verify INVENTORY={path}                                     # prove it
  the end     make down""")


def down(path, images):
    network = read_inventory(path)[0] if path else None
    names = list(containers(network))
    if names:
        podman("rm", "--force", "--time", "0", *names)
    networks = podman("network", "ls", "--quiet", "--filter", "label=cistern.lab=network").split()
    for name in networks:
        if network in (None, name.removeprefix("cistern-")):
            podman("network", "rm", name)
    if images:
        listed = podman("images", "--quiet", "--filter", "reference=localhost/cistern-lab").split()
        if listed:
            podman("rmi", "--force", *sorted(set(listed)))
    print(f"removed {len(names)} hosts" + (" and the host images" if images else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["up", "show", "down"])
    parser.add_argument("-i", "--inventory", type=Path)
    parser.add_argument("--all", action="store_true", help="down: the hosts of every inventory")
    parser.add_argument("--images", action="store_true", help="down: the host images too")
    args = parser.parse_args()
    if args.images and not args.all:
        parser.error("the images belong to every inventory: --images goes with --all")
    if not args.inventory and not (args.verb == "down" and args.all):
        parser.error("which inventory? -i PATH")
    os.chdir(LAB.parent)
    if args.verb == "up":
        up(args.inventory)
    elif args.verb == "show":
        show(args.inventory)
    else:
        down(args.inventory, args.images)


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(f"lab: {error}")
