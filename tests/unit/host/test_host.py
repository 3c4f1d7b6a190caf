"""What a machine says of itself: sockets and their processes, folders, addresses, names, PostgreSQL, unit files."""

import os
import socket
import subprocess
import sys
import time

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host import addresses, names
from ansible_collections.cistern.core.plugins.module_utils.host.claims import (
    at_boot,
    judge,
    ports,
    postgresql,
    processes,
    unit_overrides,
)
from ansible_collections.cistern.core.plugins.module_utils.host.claims import observe as claims
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology

LISTENER = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
)


@pytest.fixture
def server(tmp_path):
    """A process that listens on the loopback, and works in a folder: (process, port)."""
    words = [sys.executable, "-c", LISTENER]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, text=True) as process:
        yield process, int(process.stdout.readline())
        process.stdin.close()


def test_a_listener_is_told_with_its_process(server, tmp_path):
    process, port = server
    [found] = ports.observe([port])
    assert (found["port"], found["address"]) == (port, "127.0.0.1")
    assert found["process"]["pid"] == process.pid
    assert found["process"]["program"] == os.path.realpath(sys.executable)
    assert found["process"]["folder"] == str(tmp_path)
    assert found["process"]["name"] == sys.executable
    assert "create_server" not in str(found), "what follows the name may be a secret"


def test_a_free_port_has_nobody():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    assert ports.observe([free]) == []


def test_a_process_that_may_not_be_seen_leaves_its_user(server, monkeypatch):
    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(processes, "_holds", refused)
    [found] = ports.observe([server[1]])
    assert found["process"] is None and found["user"]


def test_root_that_may_not_look_becomes_the_user(server, monkeypatch):
    if os.geteuid():
        pytest.skip("another user is root's to become")
    us, look = os.getpid(), processes._holds

    def refused(pid, sockets):
        if os.getpid() == us:
            raise PermissionError
        return look(pid, sockets)

    monkeypatch.setattr(processes, "_holds", refused)
    [found] = ports.observe([server[1]])
    assert found["process"]["pid"] == server[0].pid


def test_servers_of_a_folder(server, tmp_path):
    with open(f"/proc/{server[0].pid}/comm", encoding="utf-8") as comm:
        name = comm.read()[:6]
    link = tmp_path.parent / "link"
    link.symlink_to(tmp_path)
    [found] = processes.in_folders([f"{link}/"], (name,))
    assert found["pid"] == server[0].pid
    assert processes.in_folders([str(tmp_path)], ("other",)) == []
    assert processes.in_folders([], (name,)) == []


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0::/system.slice/redis.service\n", "redis.service"),
        ("9:name=systemd:/a/system.slice/system-redis.slice/redis@b.service/x\n1:cpu:/no.service\n", "redis@b.service"),
        ("0::/user.slice/user@0.service/app.slice/run-1.scope\n", "run-1.scope"),
        ("0::/\n", ""),
    ],
)
def test_the_unit_of_a_process(text, unit, tmp_path, monkeypatch):
    (tmp_path / "5").mkdir()
    (tmp_path / "5/cgroup").write_text(text, encoding="utf-8")
    monkeypatch.setattr(processes, "PROC", str(tmp_path))
    assert processes.unit(5) == unit


@pytest.mark.skipif(sys.byteorder != "little", reason="as a machine of the other order spells them")
@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000000000000000000001000000", "::1"),
        ("0000000000000000FFFF00000500000A", "10.0.0.5"),
        ("00000000000000000000000000000000", "::"),
    ],
)
def test_an_address_of_the_kernels_table(text, address):
    assert ports.spelled(text) == address


def test_addresses_that_the_machine_has_not():
    wanted = ["127.0.0.1", "203.0.113.11", "a.example.net", "0.0.0.0"]
    assert addresses.unusable(wanted) == ["203.0.113.11"]
    assert "127.0.0.1" not in addresses.own() and "203.0.113.11" not in addresses.own()


def test_names_are_resolved_at_once_and_not_waited_for(monkeypatch, tmp_path):
    def slowly(name, *_args, **_more):
        if name == "slow.example.net":
            time.sleep(5)
        if name == "none.example.net":
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", ("fd00::1", 0)), (0, 0, 0, "", ("10.0.0.1", 0)), (0, 0, 0, "", ("fd00::1", 0))]

    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.1.1 A.Example.NET. a # none.example.net\n", encoding="utf-8")
    monkeypatch.setattr(names, "HOSTS", str(hosts))
    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    began = time.monotonic()
    found = names.resolve(["a.example.net", "slow.example.net", "none.example.net"], seconds=0.2)
    assert time.monotonic() - began < 2
    assert found == {
        "a.example.net": {"addresses": ["fd00::1", "10.0.0.1"], "why": "", "in_hosts": True},
        "slow.example.net": {"addresses": [], "why": names.SLOW, "in_hosts": False},
        "none.example.net": {"addresses": [], "why": "Name or service not known", "in_hosts": False},
    }


def test_a_name_is_the_same_in_capitals_and_with_its_dot():
    assert redis_topology.endpoint_key("Redis-1.Example.NET.", 6379) == redis_topology.endpoint_key(
        "redis-1.example.net", "6379"
    )


def test_a_name_to_listen_on_that_is_elsewhere(monkeypatch):
    there = {"here.net": ["203.0.113.9", "127.0.0.1"], "nat.net": ["203.0.113.9"], "gone.net": [], "slow.net": []}
    told = {name: {"addresses": each, "why": names.SLOW if name == "slow.net" else ""} for name, each in there.items()}
    monkeypatch.setattr(names, "resolve", lambda _names: told)
    binds = [{"addresses": [*there, "127.0.0.1"]}]
    found = claims.observe(
        {"ours": [], "ports": [], "folders": [], "units": [], "binds": binds, "clusters": None, "names": []}
    )
    assert found["unusable"] == ["nat.net", "gone.net"]


def test_clusters_of_postgresql(tmp_path):
    folder = tmp_path / "15/main"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "postgresql.conf").write_text(
        "data_directory = '/srv/data'\t# use\n#port = 1\nport = 5432  # (change)\nport_of_something = 3\n",
        encoding="utf-8",
    )
    pattern = f"{tmp_path}/*/*/postgresql.conf"
    told = {"name": "15/main", "port": 5432, "folder": "/srv/data", "start": "auto"}
    assert postgresql.observe(pattern) == [told]
    (folder / "conf.d/own.conf").write_text("port 5433\n", encoding="utf-8")
    (folder / "start.conf").write_text("# automatic\nmanual\n", encoding="utf-8")
    assert postgresql.observe(pattern) == [{**told, "port": 5433, "start": "manual"}]


def test_a_unit_file_in_place_of_the_packages(tmp_path):
    assert claims.unit_file("redis-server@a.service", [str(tmp_path)]) is None
    file = tmp_path / "redis-server@.service"
    file.write_text("[Service]\nExecStartPre=/bin/true\nExecStart=-/opt/redis-server /x\n", encoding="utf-8")
    found = claims.unit_file("redis-server@a.service", [str(tmp_path)])
    assert found == {"path": str(file), "program": "/opt/redis-server"}
    file.unlink()
    # what systemctl enable makes is a link to the package's; a masked one is a link to nothing
    file.symlink_to("/dev/null")
    assert claims.unit_file("redis-server@a.service", [str(tmp_path)]) is None


def test_what_drop_ins_say_of_a_unit(tmp_path):
    folders = [str(tmp_path / "etc"), str(tmp_path / "run")]

    def write(path, *lines):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[Service]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    unit = "redis-server@a.service"
    assert unit_overrides.observe(unit, folders) == {}
    write(f"etc/{unit}.d/limits.conf", "LimitNOFILE=5", "Restart=no", "# ExecStart=/x", "Environment=User=x")
    assert unit_overrides.observe(unit, folders) == {}
    second = write("etc/redis-server@.service.d/second.conf", "ExecStart=/y \\", "  --z 1")
    package = {"path": "", "value": ""}
    found = unit_overrides.observe(unit, folders)["ExecStart"]
    assert found == [package, {"path": second, "value": "/y    --z 1"}]
    # of the same name in a folder that counts for more: taken back, and said anew
    other = write(f"run/{unit}.d/zz.conf", "ExecStart=", "ExecStart=/z", "[Unit]", "User=nobody")
    write("etc/redis-.service.d/user.conf", "User=bob", "User=eve")
    found = unit_overrides.observe(unit, folders)
    assert found["ExecStart"] == [{"path": other, "value": "/z"}]
    assert [each["value"] for each in found["User"]] == ["eve"]
    # an empty one leaves nothing of it, and hides that of its name
    write(f"etc/{unit}.d/zz.conf", "User=")
    (tmp_path / "etc/redis-server@.service.d/second.conf").unlink()
    assert unit_overrides.observe(unit, folders) == {}


def test_what_comes_before_ours_does_not_count(tmp_path):
    folder = tmp_path / "prometheus.service.d"
    folder.mkdir()
    for name in ("a.conf", "cistern.conf"):
        (folder / name).write_text(f"[Service]\nExecStart=\nExecStart=/{name}\n", encoding="utf-8")
    assert unit_overrides.observe("prometheus.service", [str(tmp_path)]) == {}
    (folder / "override.conf").write_text("[Service]\nExecStart=\nExecStart=/o\n", encoding="utf-8")
    [found] = unit_overrides.observe("prometheus.service", [str(tmp_path)])["ExecStart"]
    assert found == {"path": f"{folder}/override.conf", "value": "/o"}


def test_a_whole_unit_file_of_its_own_counts_as_one_command(tmp_path):
    path = tmp_path / "redis-server.service"
    path.write_text("[Service]\nExecStart=/usr/bin/redis-server /etc/redis/redis.conf --hz 9\n", encoding="utf-8")
    [found] = unit_overrides.observe("redis-server.service", [str(tmp_path)])["ExecStart"]
    assert found["path"] == str(path)


@pytest.mark.parametrize(
    ("wanted", "there", "taken"),
    [
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "10.0.0.5", False),
        (["127.0.0.1"], "0.0.0.0", True),
        (["::1"], "0.0.0.0", False),
        (["10.0.0.5"], "::", True),
        (["*"], "10.0.0.5", True),
        (["*"], "fd00::1", False),
        (["::*"], "fd00::1", True),
        (["::"], "fd00::1", True),
        (["::"], "10.0.0.5", False),
        (["0.0.0.0"], "10.0.0.5", True),
        (["0.0.0.0"], "fd00::1", False),
        (["-::1"], "0:0:0:0:0:0:0:1", True),
        (["a.example.net"], "10.0.0.5", True),
    ],
)
def test_whether_two_servers_are_in_each_others_way(wanted, there, taken):
    assert judge.overlap(wanted, there) is taken


def test_nothing_is_looked_for_where_nothing_is_claimed():
    assert claims.observe({}) == {} and claims.observe(None) == {}


def test_it_is_cheap(server):
    asked = {
        "ours": [],
        "ports": [{"port": server[1]}],
        "folders": [{"path": "/var/lib/redis"}],
        "units": [{"unit": "redis-server.service"}],
        "binds": [{"addresses": ["127.0.0.1"]}],
        "clusters": [],
        "names": [],
    }
    began = time.process_time()
    assert claims.observe(asked)["listeners"]
    assert time.process_time() - began < 0.2


def test_a_process_that_ends_while_it_is_read_is_none(monkeypatch):
    """A worker of a server that has just ended has no unit any more, and is nobody's server."""
    monkeypatch.setattr(processes, "_link", lambda path: "" if path.endswith("/exe") else os.readlink(path))
    with open(f"/proc/{os.getpid()}/comm", encoding="utf-8") as file:
        name = file.read().strip()
    assert processes.in_folders([os.getcwd()], (name,)) == []


def test_servers_that_start_at_boot_are_told_with_what_their_files_say(tmp_path):
    wants = tmp_path / "multi-user.target.wants"
    wants.mkdir()
    conf = tmp_path / "6379.conf"
    conf.write_text('# port 1\nport 6390\nbind 127.0.0.1 -::1\ndir "/srv/redis"\n', encoding="utf-8")
    (tmp_path / "odd.conf").write_text("port ${PORT}\n", encoding="utf-8")
    (tmp_path / "sentinel.conf").write_text("dir /srv/redis/\n", encoding="utf-8")
    units = {
        "redis.service": f"ExecStart=/usr/local/bin/redis-server {conf} --port 6391",
        "redis-server@6379.service": f"ExecStart=/usr/bin/redis-server {tmp_path}/%i.conf",
        "gone.service": "ExecStart=/usr/bin/redis-server /nowhere/redis.conf",
        "ours.service": f"ExecStart=/usr/bin/redis-server {conf}",
        "redis-server@a\\x2db.service": "ExecStart=/usr/bin/redis-server /etc/redis/%i.conf",
        "odd.service": f"ExecStart=/usr/bin/redis-server {tmp_path}/odd.conf",
        "redis-sentinel.service": f"ExecStart=/usr/bin/redis-sentinel {tmp_path}/sentinel.conf",
        "ssh.service": "ExecStart=/usr/sbin/sshd -D",
    }
    for name, line in units.items():
        (wants / name).write_text(f"[Service]\n{line}\n", encoding="utf-8")
    (tmp_path / "data").symlink_to("/srv/redis")
    claimed = [f"{tmp_path}/data"]
    told = at_boot.observe(["ours.service"], claimed, f"{tmp_path}/*.wants/*.service")
    found = {each["unit"]: each for each in told}
    assert sorted(found) == ["redis-sentinel.service", "redis-server@6379.service", "redis.service"]
    # a Sentinel works in the folder of the server, and has no data
    assert (found["redis-sentinel.service"]["port"], found["redis-sentinel.service"]["folder"]) == (26379, "")
    assert found["redis.service"] == {
        "unit": "redis.service",
        "program": "/usr/local/bin/redis-server",
        "conf": str(conf),
        "port": 6391,
        "addresses": ["127.0.0.1", "::1"],
        "folder": claimed[0],
    }
    assert found["redis-server@6379.service"]["port"] == 6390
