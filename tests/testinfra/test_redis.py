"""Is what the inventory says true on the server? Changes nothing, so it may be asked of production."""

import base64
import re

import pytest
import redis
import sentinels as suite
from ansible_collections.cistern.core.plugins.plugin_utils.redis.directives import size_in_bytes


def test_it_answers_with_the_password(instance):
    assert instance.redis().ping()


@pytest.mark.parametrize("password", ["", "not the password"])
def test_it_refuses_anyone_else(instance, password):
    with pytest.raises(
        (redis.AuthenticationError, redis.ResponseError),
        match="NOAUTH|WRONGPASS|Authentication required|invalid username-password",
    ):
        instance.redis(password=password).ping()


def test_it_listens_where_the_inventory_says_and_nowhere_else(instance):
    listens = listening(instance.run, instance.pid())
    wanted = {f"[{address}]" if ":" in address else address for address in instance.vars["redis_bind"]}
    assert listens == {f"{address.lstrip('-')}:{instance.vars['redis_port']}" for address in wanted}


def test_every_directive_is_in_effect(instance):
    client = instance.redis()
    runs = {name: client.config_get(name).get(name) for name in instance.directives()}
    wanted = {name: as_server(name, value) for name, value in instance.directives().items()}
    # the server tells the folder that a link leads to
    assert runs == {**wanted, "dir": instance.run(f"realpath {wanted['dir']}")}


def as_server(name, value):
    """Return a value of the inventory as CONFIG GET says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, str) and re.fullmatch(r"(?i)\d+([kmg]b?|b)", value):
        return str(size_in_bytes(value))
    return str(value)


def test_what_the_file_says_survives_a_restart(instance):
    """The file and the running server agree, so that the next start changes nothing."""
    client = instance.redis()
    lines = [
        line.split(None, 1)
        for line in instance.run(f"cat {instance.conf}").splitlines()
        if line and not line.startswith("#")
    ]
    names = {name for name, *_rest in lines} - {"replicaof", "user", "include", "loadmodule", "rename-command"}
    assert {"port", "dir", "requirepass"} <= names
    plain = {name: rest[0] for name, *rest in lines if name in names and rest and re.fullmatch(r"[\w./-]+", rest[0])}
    assert {name: client.config_get(name).get(name) for name in plain} == {
        name: as_server(name, text) for name, text in plain.items()
    }


def test_files_belong_to_whom_they_should(instance):
    expected = {
        instance.conf: ("redis", "redis", 0o640),
        instance.vars["redis_data_dir"]: ("redis", "redis", 0o750),
        f"/etc/systemd/system/{instance.unit}.d/cistern.conf": ("root", "root", 0o644),
    }
    found = {path: instance.host.file(path) for path in expected}
    assert {path: (file.user, file.group, file.mode & 0o777) for path, file in found.items()} == expected


def test_the_unit_runs_now_and_after_a_reboot(instance):
    service = instance.host.service(instance.unit)
    assert service.is_running and service.is_enabled


def test_the_server_is_not_root(instance):
    assert instance.run(f"stat --format %U /proc/{instance.pid()}") == "redis"


def test_there_are_descriptors_for_every_client(instance):
    limits = instance.run(f"cat /proc/{instance.pid()}/limits")
    allowed = int(re.search(r"Max open files\s+\d+\s+(\d+)", limits).group(1))
    machine = int(instance.run("cat /proc/1/limits | sed -n 's/^Max open files *[0-9]* *\\([0-9]*\\).*/\\1/p'"))
    assert allowed >= min(int(instance.redis().config_get("maxclients")["maxclients"]) + 32, machine)


def test_the_unit_is_as_hardened_as_packaged(instance):
    packaged = "redis-server@.service" if "@" in instance.unit else "redis-server.service"
    name = packaged.replace("@", "@packaged")
    before = packaged_exposure(instance.run, instance.unit, name)
    after = instance.run(f"systemd-analyze security --no-pager {instance.unit} | tail -1")
    assert exposure(after) <= exposure(before)


def listening(run, pid):
    """Return where a process listens. Root of a container may not see whose a socket is, where its owner may."""
    ask = "ss --listening --tcp --numeric --processes --no-header"
    rows = [line.split() for line in run(f"{ask}; runuser -u redis -- {ask}").splitlines()]
    return {row[3] for row in rows if f"pid={pid}," in row[-1]}


def packaged_exposure(run, unit, name=""):
    """Return what systemd says of a unit as the package has it, alone in a folder without our drop-in."""
    name = name or unit
    if "--offline" not in run("systemd-analyze --help"):
        pytest.skip("this systemd cannot look at a file that is not loaded")
    return run(
        f"folder=$(mktemp -d) && cp $(systemctl show --property FragmentPath --value {unit}) $folder/{name}"
        f" && systemd-analyze security --no-pager --offline=true $folder/{name} | tail -1; rm -r $folder"
    )


def exposure(line):
    return float(re.search(r"exposure level for \S+: ([\d.]+)", line).group(1))


def test_the_kernel_is_set_at_boot_and_now(instance):
    if not instance.vars["redis_kernel"]:
        assert not instance.host.file("/etc/sysctl.d/60-redis.conf").exists
        return
    assert "vm.overcommit_memory = 1" in instance.run("cat /etc/sysctl.d/60-redis.conf")
    assert "transparent_hugepage/enabled - - - - madvise" in instance.run("cat /etc/tmpfiles.d/redis-hugepages.conf")
    backlog = int(instance.redis().config_get("tcp-backlog")["tcp-backlog"])
    assert (
        int(re.search(r"net.core.somaxconn = (\d+)", instance.run("cat /etc/sysctl.d/60-redis.conf")).group(1))
        >= backlog
    )
    if instance.host.run("systemd-detect-virt --container --quiet").rc != 0:
        assert instance.run("cat /proc/sys/vm/overcommit_memory") == "1"
        assert int(instance.run("cat /proc/sys/net/core/somaxconn")) >= backlog
        assert "[always]" not in instance.run("cat /sys/kernel/mm/transparent_hugepage/enabled")


def test_a_server_that_failed_is_started_again_for_as_long_as_it_takes(instance):
    told = unit_says(
        instance.run, instance.unit, "StartLimitIntervalUSec", "TimeoutStartUSec", "Restart", "RestartUSec"
    )
    assert told["StartLimitIntervalUSec"] == "0" and told["Restart"] == "always"
    assert told["TimeoutStartUSec"] == "infinity", "a big data set takes longer to read"
    # under Sentinel not before a replica has its place: the others need one time to find it gone, and another to act
    gone = {**suite.BASELINE, **instance.vars["redis_sentinel_config"]}["down-after-milliseconds"]
    stays = span_in_seconds(told["RestartUSec"])
    if instance.vars["redis_mode"] == "sentinel":
        assert 2 * int(gone) / 1000 <= stays < 2 * int(gone) / 1000 + 1
    else:
        assert stays == 1


def unit_says(run, unit, *properties):
    """Return {property: value} of a unit, as systemd has it loaded."""
    lines = run(f"systemctl show --property {','.join(properties)} {unit}").splitlines()
    return dict(line.split("=", 1) for line in lines)


def span_in_seconds(text):
    """Return the seconds of a time span as systemd writes it, such as 1min 30s."""
    units = {"h": 3600, "min": 60, "s": 1, "ms": 0.001, "us": 0.000001}
    parts = re.findall(r"([\d.]+)(h|min|s|ms|us)\b", text)
    assert parts, text
    return sum(float(number) * units[unit] for number, unit in parts)


def test_the_log_is_rotated(instance):
    if instance.vars["redis_log_file"]:
        assert kept_logs(instance.run, instance.vars["redis_log_file"]) == 12


def kept_logs(run, log):
    """Return how many old ones of a log logrotate keeps, as it says itself."""
    plan = run("logrotate --debug /etc/logrotate.conf 2>&1")
    rules = re.split(r"^rotating pattern: ", plan, flags=re.MULTILINE)[1:]
    [rule] = [each for each in rules if re.search(rf"^considering log {re.escape(log)}$", each, re.MULTILINE)]
    kept = re.search(r"\((\d+) rotations\)", rule.splitlines()[0])
    return int(kept.group(1)) if kept else 0


PLACES = {
    "arguments and environments": "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'",
    "the journal": "journalctl --no-pager --quiet",
    "units": "systemctl cat 'redis*' --no-pager",
    "logs": "cat /var/log/redis/*.log",
    "files that others can read": (
        "find /etc /var /run /tmp /opt /srv /home -xdev -type f -perm /o+r -size -2M -exec cat {} + 2>/dev/null"
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_password_is_nowhere_it_should_not_be(instance, place):
    # the pattern travels encoded, lest this very test put the password into a list of processes
    pattern = base64.b64encode(instance.vars["redis_password"].encode()).decode()
    found = instance.host.run(
        f"pattern=$(mktemp) && echo {pattern} | base64 -d > $pattern"
        f" && ({PLACES[place]}) | grep --text --count --fixed-strings --file $pattern; rm $pattern"
    )
    assert found.stdout.strip() == "0", place


def test_the_server_reaches_its_data_and_its_log(instance):
    """Asked as its user, for a folder on the way may be closed to it."""
    places = [instance.vars["redis_data_dir"], instance.vars["redis_log_file"]]
    for path in filter(None, places):
        instance.run(f"runuser -u redis -- test -w {path}")
