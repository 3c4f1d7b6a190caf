"""Faults of a lab host, made from this machine: they work on a host that answers nothing."""

import contextlib
import os
import signal
import subprocess

import instances

SENTINEL = "redis-sentinel.service"
# A host that is cut off hears nobody and is heard by nobody; what runs on it goes on.
RULES = """
table inet fault {{
  chain in {{ type filter hook input priority 0; {inward} drop; }}
  chain out {{ type filter hook output priority 0; {outward} drop; }}
}}
"""


def podman(*words, check=True):
    done = subprocess.run([instances.ROOT / "lab/podman", *words], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"podman {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


def inside(instance, command):
    """Run a shell command as root on the host, without SSH."""
    return podman("exec", instance.vars["lab_container"], "sh", "-c", command)


def in_network_of(instance, environment=()):
    """Return the beginning of a command that runs on this machine, in the network of the host."""
    pid = podman("inspect", "--format", "{{.State.Pid}}", instance.vars["lab_container"])
    as_root = [] if os.geteuid() == 0 else ["sudo", f"--preserve-env={','.join(environment)}"]
    return [*as_root, "nsenter", "--target", pid, "--net"]


def kill(instance, unit="", stays_down=False):
    """SIGKILL for a service, the instance's own when left out. systemd starts it again, unless it is to stay down."""
    unit = unit or instance.unit
    if stays_down:
        folder = f"/run/systemd/system/{unit}.d"
        inside(instance, f"mkdir -p {folder}; printf '[Service]\\nRestart=no\\n' > {folder}/zz-fault.conf")
        inside(instance, "systemctl daemon-reload")
    inside(instance, f"systemctl kill --signal=KILL {unit}")


def revive(instance, unit=""):
    """Start a service that was to stay down."""
    unit = unit or instance.unit
    inside(instance, f"rm -f /run/systemd/system/{unit}.d/zz-fault.conf; systemctl daemon-reload")
    inside(instance, f"systemctl reset-failed {unit}; systemctl start {unit}")


def freeze(instance):
    """Stop the host in its tracks. Its kernel still takes connections, as that of an overloaded machine does."""
    podman("pause", instance.vars["lab_container"])


def thaw(instance):
    podman("unpause", instance.vars["lab_container"])


def reboot(instance):
    """Shut the host down in order and boot it."""
    podman("restart", "--time", "20", instance.vars["lab_container"])


def power_off(instance):
    """Take every process away at once. What was written to files stays: this is not a disk that forgets."""
    podman("kill", instance.vars["lab_container"])


def power_on(instance):
    podman("start", instance.vars["lab_container"])


def cut_off(instance, others=()):
    """Cut the host off from others, or from everybody. A reboot ends it too."""
    addresses = ", ".join(other.address for other in others)
    inward = f"ip saddr {{ {addresses} }}" if others else 'iif != "lo"'
    outward = f"ip daddr {{ {addresses} }}" if others else 'oif != "lo"'
    rules = RULES.format(inward=inward, outward=outward)
    subprocess.run([*in_network_of(instance), "nft", "-f", "-"], input=rules, text=True, check=True)


def heal(instance):
    subprocess.run([*in_network_of(instance), "nft", "delete", "table", "inet", "fault"], check=True)


def kill_run(process):
    """SIGKILL for a playbook and its workers. ansible-core gives each worker a session of its own."""
    for pid in [process.pid, *_below(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _below(pid):
    """Return the children of a process, and theirs."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = [int(child) for child in file.read().split()]
    except FileNotFoundError:  # it has ended
        return []
    return [*children, *[below for child in children for below in _below(child)]]


def kill_modules(everyone):
    """SIGKILL for the modules that run on the hosts; that of a playbook which was killed would go on to its end."""
    for instance in everyone:
        # a pipelined module has no name of its own; no other program of the hosts is written in Python
        inside(instance, "pkill -9 -x python3 || true")


def end(instance):
    """End every fault of the host, whichever there are."""
    state = podman("inspect", "--format", "{{.State.Status}}", instance.vars["lab_container"])
    if state == "paused":
        thaw(instance)
    elif state != "running":
        power_on(instance)
    tables = [*in_network_of(instance), "nft", "list", "tables"]
    if "inet fault" in subprocess.run(tables, capture_output=True, text=True, check=True).stdout:
        heal(instance)
    for path in inside(instance, "ls /run/systemd/system/*/zz-fault.conf 2> /dev/null || true").split():
        revive(instance, path.split("/")[-2].removesuffix(".d"))
