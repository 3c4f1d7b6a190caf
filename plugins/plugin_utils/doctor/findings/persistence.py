"""What is wrong with what a server keeps on disk: snapshots, AOF, forks. Pure."""

from ansible_collections.cistern.core.plugins.plugin_utils.doctor.context import cli, seconds_text


def judge(case):
    """Yield findings."""
    for host, want, state in case.having("redis"):
        info = state.get("later", {})
        if info:
            yield from _saves(case, host, want, state, info)
        if state["may_write"] is False and _keeps(state):
            yield case.found(
                "disk-not-writable",
                host,
                f"The server may not write into {want['folder']}.",
                {"folder": want["folder"]},
                case.play("redis", limit=host),
            )


def _keeps(state):
    config = state.get("config")
    return config is None or bool(config.get("save")) or config.get("appendonly") == "yes"


def _saves(case, host, want, state, info):
    config = state.get("config", {})
    if info.get("rdb_last_bgsave_status") != "ok":
        stops = config.get("stop-writes-on-bgsave-error") == "yes" and bool(config.get("save"))
        evidence = {
            "rdb_last_bgsave_status": info.get("rdb_last_bgsave_status"),
            "rdb_changes_since_last_save": f"{info.get('rdb_changes_since_last_save')} changes",
            "writes": "refused until one succeeds (MISCONF)" if stops else "",
        }
        yield case.found(
            "save-failed",
            host,
            "The last snapshot failed.",
            evidence,
            f"tail --lines 20 {want['log']}; df --human-readable {want['folder']}",
        )
    if info.get("aof_enabled") and info.get("aof_last_write_status", "ok") != "ok":
        yield case.found(
            "aof-failed",
            host,
            "The AOF cannot be written, and writes are refused.",
            {"aof_last_write_status": info["aof_last_write_status"]},
            f"tail --lines 20 {want['log']}; df --human-readable {want['folder']}",
        )
    if info.get("aof_enabled") and info.get("aof_last_bgrewrite_status", "ok") != "ok":
        fix = cli(want, "bgrewriteaof")
        yield case.found(
            "aof-rewrite-failed",
            host,
            "The last rewrite of the AOF failed, so it grows.",
            {"aof_last_bgrewrite_status": info["aof_last_bgrewrite_status"]},
            fix,
        )
    if info.get("latest_fork_usec", 0) > case.limits["fork_ms"] * 1000:
        yield case.found(
            "fork-slow",
            host,
            "The last fork held the server up for long.",
            {"latest_fork_usec": seconds_text(info["latest_fork_usec"] / 1e6)},
            "cat /sys/kernel/mm/transparent_hugepage/enabled",
        )
