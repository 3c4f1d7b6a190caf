"""The case before the doctor: what should be, what the hosts reported, and how a finding reads. Pure.

`want` is {inventory, hosts, deployments, sentinels, cluster, limits}: a host is {machine, redis, sentinel, app, citus}
as far as it has them. `evidence` is {host: what doctor_probe reported}, or {host: {state, why}} of a silent one,
`state` being unreachable or failed. A host that was not observed is in neither.
"""

import functools
import pathlib
import shlex
import typing

from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files

DATA = pathlib.Path(__file__).parent / "data/findings.yml"

SEVERITIES = ("critical", "warning", "note")


class Finding(typing.NamedTuple):
    """`evidence` is {name: text with its unit, or a list of lines}; `fix` is one command."""

    id: str
    severity: str
    host: str
    deployment: str
    message: str
    evidence: dict
    fix: str


@functools.cache
def catalogue():
    """Return {id: {severity, part, means}} of everything that can be found."""
    return role_files.load(DATA)["__doctor_findings"]


class Case:
    """What is judged; the parts of the judgement share it."""

    def __init__(self, want, evidence):
        self.want, self.evidence, self.limits = want, evidence, want["limits"]

    def found(self, name, host, message, evidence=None, fix="", severity=""):
        """Return a finding; its severity is that of the catalogue, unless the case makes another of it."""
        deployment = (self.want["hosts"].get(host, {}).get("redis") or {}).get("deployment", "")
        shown = {key: value for key, value in (evidence or {}).items() if value not in ("", None, [], {})}
        usual = catalogue()[name]["severity"]
        return Finding(name, severity or usual, host, deployment, message, shown, fix)

    def having(self, part):
        """Yield (host, what it should have, what it reported) of each host that reported a part."""
        for host, state in self.evidence.items():
            want = self.want["hosts"].get(host, {}).get(part)
            if want and part in state:
                yield host, want, state[part]

    def machines(self, *parts):
        """Yield (host, the state of its machine) once for each machine.

        With `parts`, for the first of its hosts that has the first of these, or the next; without, for the first.
        """
        seen = set()
        for part in parts or (None,):
            for host, state in self.evidence.items():
                wanted = self.want["hosts"][host]
                if "machine" in state and wanted["machine"] not in seen and (part is None or part in wanted):
                    seen.add(wanted["machine"])
                    yield host, state["machine"]

    def reported(self, host, part):
        """Return what a host reported of a part, None where it did not."""
        return self.evidence.get(host, {}).get(part)

    def serves(self, host, part):
        """Whether a server answers on its own machine; None where nobody was asked."""
        if host not in self.evidence:
            return None
        return bool((self.reported(host, part) or {}).get("answers"))

    def play(self, name, *more, limit=""):
        """Return the command of a playbook, for the controller; of one host where there is a limit."""
        only = [f"--limit {word(limit)}"] if limit else []
        return " ".join(["ansible-playbook", self.want["inventory"], f"playbooks/{name}.yml", *more, *only])

    def drift(self, host):
        return self.play("site", "--check --diff", limit=host)


def word(text):
    """Return a text as the shell takes it for one word."""
    return shlex.quote(str(text))


def knock(end):
    """Return the command that tries an endpoint, `address:port` or `address port`; one of IPv6 may be in brackets."""
    address, _sep, port = end.replace(" ", ":").rpartition(":")
    return f"nc -vz {word(address.strip('[]'))} {port}"


def cli(server, *words):
    """Return a redis-cli command for the host of a server, {addresses, port}.

    The password is in its environment (docs/troubleshooting.md).
    """
    address_args = [] if "127.0.0.1" in server["addresses"] else [f"-h {word(server['addresses'][0])}"]
    return " ".join(["redis-cli", *address_args, *([f"-p {server['port']}"] if server["port"] != 6379 else []), *words])


def share_text(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else ""


def seconds_text(seconds):
    """Return a time with its unit."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"


def hosts_text(names):
    return ", ".join(names)


def count_text(number, word):
    return f"{number} {word}{'' if number == 1 else 's'}"
