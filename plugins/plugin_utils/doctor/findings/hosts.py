"""What is wrong with hosts and their machines: silence, kernel, memory, disks, clocks. Pure."""

from ansible_collections.cistern.core.plugins.module_utils.host.formatting import size
from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import seconds_text, share_text, word


def judge(case):
    """Yield findings."""
    for host, state in case.evidence.items():
        if state.get("state") == "unreachable":
            fix = f"ansible {case.want['inventory']} {word(host)} -m ansible.builtin.ping"
            yield case.found("host-unreachable", host, "Ansible cannot reach the host.", {"why": state["why"]}, fix)
        elif state.get("state") == "failed":
            fix = case.play("doctor", "-vvv", limit=host)
            yield case.found("host-silent", host, "The host told nothing of itself.", {"why": state["why"]}, fix)
    for host, machine in case.machines("redis", "sentinel"):
        yield from _kernel(case, host, machine)
    for host, machine in case.machines():
        yield from _memory(case, host, machine)
        yield from _clock(case, host, machine)
    yield from _disks(case)
    yield from _clocks(case)


def _kernel(case, host, machine):
    """Kernel settings belong to the machine below where the host is a container: then they are noted."""
    kernel, redis = machine["kernel"], case.want["hosts"][host].get("redis")
    severity = "note" if machine["container"] else ""
    evidence = {"where": "on the machine that runs this container"} if machine["container"] else {}
    fix = case.play("redis", limit=host)
    overcommit = kernel.get("vm.overcommit_memory")
    if redis and overcommit not in (None, "1"):
        yield case.found(
            "kernel-overcommit",
            host,
            f"vm.overcommit_memory is {overcommit}, so a fork for a snapshot may fail.",
            evidence,
            "sysctl vm.overcommit_memory=1" if evidence else fix,
            severity,
        )
    pages = kernel.get("transparent_hugepage")
    if redis and pages == "always":
        yield case.found(
            "kernel-hugepages",
            host,
            "Transparent huge pages are always on, which makes forks slow and memory large.",
            evidence,
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled" if evidence else fix,
            severity,
        )
    reported = case.reported(host, "redis") or {}
    backlog, limit = reported.get("config", {}).get("tcp-backlog"), kernel.get("net.core.somaxconn")
    if backlog and limit and int(limit) < int(backlog):
        yield case.found(
            "kernel-somaxconn",
            host,
            "The kernel cuts the queue of new connections below tcp-backlog.",
            {**evidence, "net.core.somaxconn": f"{limit} connections", "tcp-backlog": f"{backlog} connections"},
            f"sysctl net.core.somaxconn={backlog}" if evidence else fix,
            severity,
        )


def _memory(case, host, machine):
    memory = machine["memory"]
    # of a container these are the figures of the machine that runs it
    if memory["available"] < case.limits["machine_memory_share"] * memory["total"]:
        yield case.found(
            "machine-memory-low",
            host,
            "The machine has hardly any memory left.",
            {"available": size(memory["available"]), "total": size(memory["total"])},
            "ps -eo rss,pid,comm --sort=-rss | head",
        )
    if machine["killed"]:
        yield case.found(
            "memory-oom-kill",
            host,
            "The kernel has killed a process for memory within a day.",
            {"journal": machine["killed"]},
            "journalctl --since=-24h --grep='oom-kill|Out of memory'",
        )


def _disks(case):
    """Each inventory host tells of the folders of its own; two of one machine may share some."""
    judged = set()
    for host, state in case.evidence.items():
        machine = case.want["hosts"][host]["machine"]
        for folder, disk in state.get("machine", {}).get("disks", {}).items():
            if (machine, folder) not in judged:
                judged.add((machine, folder))
                yield from _disk(case, host, folder, disk)


def _disk(case, host, folder, disk):
    evidence = {
        "folder": folder,
        "free": f"{size(disk['free'])} ({share_text(disk['free'], disk['total'])})",
        "size": size(disk["total"]),
    }
    fix = f"du -xh --max-depth=1 {word(folder)} | sort -h | tail"
    if disk["read_only"]:
        yield case.found("disk-read-only", host, f"The disk of {folder} is read-only.", evidence, "dmesg | tail -n 30")
    if disk["total"] and disk["free"] <= case.limits["disk_full_share"] * disk["total"]:
        yield case.found("disk-full", host, f"The disk of {folder} is full.", evidence, fix)
    elif disk["total"] and disk["free"] < case.limits["disk_low_share"] * disk["total"]:
        yield case.found("disk-low", host, f"The disk of {folder} fills up.", evidence, fix)
    if disk["files"] and disk["files_free"] <= case.limits["disk_full_share"] * disk["files"]:
        files = {"folder": folder, "free": f"{disk['files_free']} files", "size": f"{disk['files']} files"}
        yield case.found("disk-files", host, f"The disk of {folder} takes hardly any more files.", files, fix)


def _clock(case, host, machine):
    clock = machine["clock"]
    # a container has the clock of the machine that runs it
    if clock["synchronized"] is False and not machine["container"]:
        yield case.found(
            "clock-unsynchronized",
            host,
            "Nothing keeps the clock of the host right.",
            {"service": clock["service"] or "none"},
            "timedatectl set-ntp true",
        )


def _clocks(case):
    """Compare hosts: how far each is off the controller is known to lie between two bounds."""
    bounds = {
        host: case.evidence[host]["clock"] for host, _machine in case.machines() if "clock" in case.evidence[host]
    }
    if len(bounds) < 2:
        return
    behind = min(bounds, key=lambda host: bounds[host]["most"])
    ahead = max(bounds, key=lambda host: bounds[host]["least"])
    apart = bounds[ahead]["least"] - bounds[behind]["most"]
    if apart > case.limits["clock_seconds"]:
        # the one that the controller agrees with is right
        wrong = max((behind, ahead), key=lambda host: abs(bounds[host]["least"] + bounds[host]["most"]))
        other = ahead if wrong == behind else behind
        yield case.found(
            "clock-differs",
            wrong,
            f"Its clock differs from that of {other}.",
            {"difference": f"at least {seconds_text(apart)}"},
            "timedatectl set-ntp true",
        )
