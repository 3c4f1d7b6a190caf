"""Tries the doors of a machine from inside, as each of its users, and those of other machines from there.

doors.py has it run on the machine as root. It changes nothing: files are opened and closed, servers are asked.
"""

import glob
import json
import os
import pwd
import socket
import subprocess
import time
import urllib.request

OUTSIDE = ("/", "/etc", "/usr", "/boot", "/root", "/home")
TOLD = ("ProtectSystem", "ProtectHome", "Restart", "TimeoutStartUSec", "User")


def probe(ask):
    """Return what became of each part of `ask`; users who are not there are left out."""
    users = [name for name in ask["users"] if _exists(name)]
    paths = {}
    for number, pattern in enumerate(ask["files"]):
        for path in glob.glob(pattern, recursive=True):
            paths.setdefault(path, number)
    return {
        "paths": paths,
        "files": {user: as_user(user, lambda: opened(paths)) for user in users},
        "listening": sorted(line for user in ["root", *users] for line in as_user(user, listening)),
        "units": {unit: unit_from_outside(unit) for unit in [*ask["units"], *programs("service")]},
        "timers": {
            unit: _run(["systemctl", "show", "--property", "ActiveState", "--value", unit]).strip()
            for unit in programs("timer")
        },
        "psql": {name: psql(**how) for name, how in ask["psql"].items() if _exists(how["user"])},
        "asked": {name: asked(*how) for name, how in ask["asked"].items()},
        "local": {name: asked_as(*how) for name, how in ask["local"].items() if os.path.exists(_password_file(how[0]))},
        "pages": {url: page(url) for url in ask["pages"]},
        "comes_from": {address: source(address) for address in ask["comes_from"]},
    }


def _exists(user):
    return user in {entry.pw_name for entry in pwd.getpwall()}


def as_user(user, act):
    """Return what `act` returns in a process that is that user, in the groups of that user alone."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            entry = pwd.getpwnam(user)
            os.initgroups(user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            os.chdir("/")
            with os.fdopen(write, "w") as answer:
                json.dump(act(), answer)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        found = json.load(answer)
    os.waitpid(child, 0)
    return found


def opened(paths):
    """Return {path: r, w, rw or nothing}: whether this user can read and write it; a folder: list it, make files."""
    ways = (("r", os.O_RDONLY), ("w", os.O_WRONLY))
    return {path: "".join(letter for letter, way in ways if _opens(path, way)) for path in paths}


def _opens(path, way):
    try:
        if os.path.isdir(path):
            return os.access(path, os.W_OK | os.X_OK) if way else bool(os.listdir(path) or True)
        if not os.path.isfile(path):
            return False
        os.close(os.open(path, way | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def listening():
    """Return [[program, address:port]] of sockets whose owner this user may see."""
    words = ["ss", "--listening", "--tcp", "--udp", "--numeric", "--processes", "--no-header"]
    rows = [line.split() for line in _run(words).splitlines()]
    return [[row[-1].split('"')[1], row[4]] for row in rows if '"' in row[-1]]


def programs(kind):
    """Return the units of a cache, one of each template."""
    found = glob.glob(f"/etc/systemd/system/cistern-cache-*.{kind}")
    return [os.path.basename(path).replace("@.", "@door.") for path in sorted(found)]


def unit_from_outside(unit):
    """Return what the kernel lets the program of a unit do, and what systemd was told of it; no user if it is off."""
    words = ["systemctl", "show", "--property", ",".join(TOLD), unit]
    said = dict(line.split("=", 1) for line in _run(words).splitlines())
    judged = [line.split() for line in _run(["systemd-analyze", "security", "--no-pager", unit], False).splitlines()]
    found = {
        "told": {name: said[name] for name in TOLD},
        # what systemd finds closed; before 250 it said CLONE_NEWUSER
        "closed": [words[1].replace("CLONE_NEWUSER", "user") for words in judged if words[:1] == ["✓"]],
    }
    for _try in range(100):
        pid = _run(["systemctl", "show", "--property", "MainPID", "--value", unit]).strip()
        if pid == "0":
            break
        try:
            # a process is systemd's own, with a name in brackets, until it has given up root and all else
            with open(f"/proc/{pid}/comm") as file:
                if not file.read().startswith("("):
                    return {**found, **_held(pid)}
        except OSError:
            pass  # a program that runs now and then has ended meanwhile
        time.sleep(0.1)
    return found


def _held(pid):
    """Return what the kernel lets a process do."""
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    mounts, of_all = _mounts(pid), _mounts("1")
    return {
        "user": pwd.getpwuid(int(status["Uid"].split()[0])).pw_name,
        "gains": status["NoNewPrivs"] != "1",
        "may": int(status["CapBnd"], 16),
        "any_call": status["Seccomp"] == "0",
        # a container that may not mount has no view of its own for a program
        "sees_all": mounts == of_all,
        "writes": [path for path in OUTSIDE if _writable(mounts, path)],
        "sees_home": "inaccessible" not in mounts.get("/home", ("", ""))[0],
    }


def _run(words, check=True):
    # its marks are in UTF-8, where the machine speaks no language of its own
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(words, env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=check).stdout


def _mounts(pid):
    """Return {path: (what is mounted there, its options)}, the last one of a path."""
    with open(f"/proc/{pid}/mountinfo") as file:
        rows = [line.split() for line in file]
    return {row[4]: (row[3], row[5].split(",")) for row in rows}


def _writable(mounts, path):
    over = [place for place in mounts if place == "/" or path == place or path.startswith(f"{place}/")]
    return "rw" in mounts[max(over, key=len)][1]


def psql(user, program, port, role, database, password):
    """Return what psql says to a user of the machine who comes through the socket: a 1, or why not."""
    words = [
        program,
        "-XAtqw",
        "-h",
        "/var/run/postgresql",
        "-p",
        str(port),
        "-U",
        role,
        "-d",
        database,
        "-c",
        "SELECT 1",
    ]
    more = {"PGPASSWORD": password} if password else {}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PGCONNECT_TIMEOUT": "5", **more}

    def run():
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.strip()

    return as_user(user, run)


def asked(host, port, commands):
    """Return the answers of a server of Redis to commands, or why there are none; without commands whether it opens."""
    try:
        with socket.create_connection((host, port), timeout=3) as connection, connection.makefile("rwb") as stream:
            return [_answer(stream, words) for words in commands] or ["open"]
    except OSError as error:
        return [f"closed: {error}"]


def asked_as(user, host, port, commands):
    """Return the answers to a user of the toolkit, who has its password in a file of root."""
    with open(_password_file(user), "rb") as file:
        password = file.read().strip()
    return asked(host, port, [[b"AUTH", user.encode(), password], *commands])


def _password_file(user):
    return f"/etc/cistern/{user}.password"


def _answer(stream, words):
    """Return the first line of an answer, after all of it was read."""
    words = [each if isinstance(each, bytes) else each.encode() for each in words]
    stream.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in words))
    stream.flush()
    return _read(stream)


def _read(stream):
    line = stream.readline().strip().decode(errors="replace")
    if not line:
        return "closed: no answer"
    if line[0] == "$" and line != "$-1":
        stream.read(int(line[1:]) + 2)
    if line[0] == "*":
        for _each in range(max(int(line[1:]), 0)):
            _read(stream)
    return line


def page(url):
    """Return what a program of the machine tells anyone who asks."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode(errors="replace")


def source(address):
    """Return the address from which this machine calls another one; None where it does not know that one."""
    try:
        address = socket.getaddrinfo(address, None)[0][4][0]
    except OSError:
        return None
    words = _run(["ip", "-o", "route", "get", address], False).split()
    return words[words.index("src") + 1] if "src" in words else None
