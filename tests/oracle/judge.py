"""Asks the real redis-server of this machine. Runs on a host, needs nothing but Python; JSON in, JSON out.

The controller hands over this file with `python3 -c` and the question on standard input:
  {"do": "start", "files": {name: text}, "candidates": [{"text": redis.conf, "ping": true}, ...]}
      starts the server on each candidate, in a folder of its own that the text calls /ORACLE, until it accepts
      connections or gives up; the answer is null for a good one, else what the server said.
  {"do": "facts", "names": [...]}
      version, CONFIG GET *, CONFIG GET of each name, and what CONFIG SET says to each value.
  {"do": "read", "files": {}, "text": redis.conf, "password": it, "names": [...]}
      starts the server and says what CONFIG GET has for each name.

Parsing alone is not enough of a judge: ACL rules, TLS, cluster and (from Redis 8 on) unknown names are looked at later.
"""

import concurrent.futures
import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

# What the machine lacks says nothing about a configuration.
MACHINE = re.compile(
    r"Cannot assign requested address|Permission denied|Name or service not known|"
    r"Address family not supported|Name does not resolve|Temporary failure in name resolution"
)
# The log must reach us, and the process must stay ours; all else is as the candidate says.
OURS = ["--daemonize", "no", "--supervised", "no", "--syslog-enabled", "no", "--logfile", "", "--loglevel", "notice"]
READY = re.compile(r"[Rr]eady to accept connections")


def unprivileged():
    """Arguments of subprocess that run the server as its own user, as far as we may."""
    if os.geteuid():
        return {}
    for name in ("redis", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {}


class Server:
    """A redis-server in a folder of its own, gone with all it made at the end of the block."""

    def __init__(self, text, files, options=()):
        self.folder = tempfile.mkdtemp(prefix="oracle-")
        who = unprivileged()
        for name, content in {**files, "redis.conf": text}.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(content.replace("/ORACLE", self.folder).encode("utf-8", "surrogateescape"))
        for name in [".", *os.listdir(self.folder)]:
            os.chown(os.path.join(self.folder, name), who.get("user", -1), who.get("group", -1))
        self.socket = os.path.join(self.folder, "ping.sock")
        self.process = subprocess.Popen(
            [
                "redis-server",
                os.path.join(self.folder, "redis.conf"),
                *(self.socket if one == "@SOCKET@" else one for one in options),
            ],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **who,
        )
        self.said = b""

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.stdout.close()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def fatal(self, seconds=20):
        """None as soon as the server accepts connections, '' if the machine lacks something; else its last words."""
        timer = signal_later(self.process, seconds)
        try:
            for line in self.process.stdout:
                self.said += line
                if READY.search(line.decode("utf-8", "replace")):
                    return None
        finally:
            timer.cancel()
        text = self.said.decode("utf-8", "replace")
        return "" if MACHINE.search(text) else reason(text)

    def ask(self, *words, password=None):
        """One command over the socket, the whole answer parsed."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(self.socket)
            with link.makefile("rb") as stream:
                for command in ([("AUTH", password)] if password else []) + [words]:
                    raw = [word.encode("utf-8", "surrogateescape") for word in command]
                    link.sendall(b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(one), one) for one in raw))
                    reply = answer(stream)
                return reply


def signal_later(process, seconds):
    """A timer that ends a server which neither starts nor gives up."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    return timer


def answer(stream):
    """One reply of the server: text, number or list; errors as '-ERR ...'."""
    line = stream.readline().rstrip(b"\r\n")
    mark, rest = line[:1], line[1:]
    if mark == b"$":
        return stream.read(int(rest) + 2)[:-2].decode("utf-8", "replace") if int(rest) >= 0 else None
    if mark == b"*":
        return [answer(stream) for _ in range(int(rest))]
    return ("-" if mark == b"-" else "") + rest.decode("utf-8", "replace")


def reason(text):
    """The lines of the server's farewell that tell why."""
    fatal = re.search(r"FATAL CONFIG FILE ERROR.*", text, re.S)
    lines = (fatal.group(0) if fatal else text).strip().splitlines()
    return " / ".join(line for line in lines[-6:])[-600:] or "ended without a word"


def judge(candidate, files):
    """None for a good candidate, else what the server said. A port that is taken just now gets more tries."""
    for again in range(3):
        said = verdict(candidate, files)
        if not said or "Address already in use" not in said:
            break
        time.sleep(0.2 * (again + 1))
    return said


def verdict(candidate, files):
    """None for a good candidate, else what the server said."""
    ping = candidate.get("ping")
    try:
        with Server(candidate["text"], files, OURS + (["--unixsocket", "@SOCKET@"] if ping else [])) as server:
            said = server.fatal()
            if said is None and ping:
                # That it wants a password or its primary is an answer, too.
                return None if server.ask("PING") else "no answer to PING"
            return said or None
    except OSError as error:
        return f"judge: {error}"


def start(question):
    """Verdicts in the order of the candidates; progress on standard error."""
    candidates, done, began = question["candidates"], 0, time.time()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        verdicts = []
        for one in pool.map(lambda one: judge(one, question["files"]), candidates):
            verdicts.append(one)
            done += 1
            if done % 500 == 0:
                print(f"  {done} of {len(candidates)} after {time.time() - began:.0f} s", file=sys.stderr, flush=True)
    return verdicts


def facts(question):
    """What the server says about its directives."""
    with Server("port 0\n", {}, ["--unixsocket", "@SOCKET@"]) as server:
        said = server.fatal()
        if said:
            raise SystemExit(said)
        flat = server.ask("CONFIG", "GET", "*")
        listed = dict(zip(flat[::2], flat[1::2]))
        known = {}
        for name in sorted({*question["names"], *listed}):
            pair = server.ask("CONFIG", "GET", name)
            if len(pair) == 2:
                known[name] = pair[1]
        replies = {name: server.ask("CONFIG", "SET", name, value) for name, value in known.items()}
        about = server.ask("INFO", "server")
        found = re.search(r"(valkey)_version:(\S+)", about) or re.search(r"(redis)_version:(\S+)", about)
        version = " ".join(found.groups())
    return {"version": version, "listed": listed, "known": known, "set": replies}


def read(question):
    """What CONFIG GET says of a configuration that is expected to be good."""
    with Server(question["text"], question["files"], [*OURS, "--unixsocket", "@SOCKET@"]) as server:
        said = server.fatal()
        if said:
            raise SystemExit(said)
        pairs = {name: server.ask("CONFIG", "GET", name, password=question["password"]) for name in question["names"]}
    return {name: pair[1] if len(pair) == 2 and not str(pair).startswith("-") else pair for name, pair in pairs.items()}


def main():
    """Read the question, write the answer."""
    question = json.load(sys.stdin)
    json.dump({"start": start, "facts": facts, "read": read}[question["do"]](question), sys.stdout)


if __name__ == "__main__":
    main()
