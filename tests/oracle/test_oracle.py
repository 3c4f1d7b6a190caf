"""The server is the judge of the checker: what the checker accepts must start, what a server refuses it must refuse.

CISTERN_ORACLE_HOSTS names the servers, separated by commas: NAME of a running container of the lab, `podman:NAME` of
any other, `chroot:/path` for a root with redis-server and python3 in it (needs root), `local` for this machine. Without
it, two hosts are started for the purpose: see conftest.py. CISTERN_ORACLE_COUNT and CISTERN_ORACLE_SEED change how many
configurations a server gets and which.
"""

import collections
import json
import os
import pathlib
import re
import subprocess

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema
from generate import NASTY, Generator

HERE = pathlib.Path(__file__).parent
SCHEMA = redis_schema.load()
COUNT = int(os.environ.get("CISTERN_ORACLE_COUNT", "2400"))
SEED = int(os.environ.get("CISTERN_ORACLE_SEED", "1"))
HOSTS = (os.environ.get("CISTERN_ORACLE_HOSTS") or "cistern-oracle-redis7,cistern-oracle-redis8").split(",")

# What the checker refuses although the server starts: the reason, the share of configurations that may meet it, and
# what the checker says then. The first two are what the generator makes most of.
STRICTER = {
    "one spelling of a name; no word that the server only reads for old files or its own tests": (
        0.06,
        "is not a Redis directive|works up to Redis",
    ),
    "of two lines the last one would silently win": (0.06, "takes one value, not a list|is the same directive as"),
    "the server cuts it, changes it or reads it by where it is started": (
        0.03,
        "bytes long|must be an absolute path|must be addresses|blank title|must be the name of a locale|"
        "must be from 1 to|must be at least",
    ),
    "it fails as soon as it is used": (
        0.03,
        "must be words of|must be a host and a port|must end in a port|must name an address|must not be empty",
    ),
    "a number or size is written plainly: no sign, no leading zero, no lone unit": (
        0.02,
        "must be a size|must be a whole number|must be a file mode|must be from|must be numbers|"
        "must be seconds|must be class",
    ),
    "YAML reads it as something else than it says": (0.01, "to YAML|nobody can tell whether"),
    "a line break or NUL in a value would be another line": (0.01, "must be one line"),
    "an ACL rule of no effect": (
        0.01,
        "must start with the user's name|is not a rule of ACLs|takes a password away|names '",
    ),
    "a shape without a meaning": (0.01, "must be a plain value|must be pairs of|must be a command and"),
}

# Listed by Redis 6 although they serve its own tests; later versions hide them, and the schema leaves them out.
FOR_TESTS = {"key-load-delay", "rdb-key-save-delay", "use-exit-on-panic", "watchdog-period"}


def ask(host: str, question: dict) -> object:
    """The judge's answer on that host."""
    python = ["python3", "-c", (HERE / "judge.py").read_text()]
    way, _, place = host.partition(":")
    start = {"local": [], "chroot": ["chroot", place], "podman": ["podman", "exec", "-i", place]}
    # Containers of the lab have to be handled with the settings that they were started with.
    own = [str(HERE.parents[1] / "lab/podman"), "exec", "-i", host]
    done = subprocess.run(
        [*start.get(way, own), *python], input=json.dumps(question), stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, f"the judge on {host} failed, its reason stands above"
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=HOSTS)
def server(request):
    """A host and what its server says about its directives."""
    facts = ask(request.param, {"do": "facts", "names": sorted(SCHEMA)})
    return {"host": request.param, **facts}


def known(version: str) -> dict:
    """The schema's lines of the names that this version has."""
    spec = {name: redis.entry(name, SCHEMA, version) for name in SCHEMA}
    foreign = re.compile("needs Redis|works up to|is a directive of Valkey")
    return {
        name: line
        for name, line in spec.items()
        if not any(foreign.match(one.message) for one in redis.problems({name: "x"}, SCHEMA, version, together=False))
    }


def certificate(folder: pathlib.Path) -> dict:
    """A key and a certificate for the candidates with TLS."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=oracle",
            "-days",
            "2",
            "-keyout",
            folder / "key",
            "-out",
            folder / "crt",
        ],
        check=True,
        capture_output=True,
    )
    return {"tls.key": (folder / "key").read_text(), "tls.crt": (folder / "crt").read_text()}


def text_of(config: dict) -> str:
    """The configuration as a file; one that cannot be written properly is written as a careless template would."""
    try:
        return "\n".join(redis.to_lines(config, SCHEMA)) + "\n"
    except ValueError:
        return "".join(f"{name} {value}\n" for name, value in config.items() if value is not None)


def test_checker_agrees_with_server(server, tmp_path):
    """Nothing that the checker accepts is fatal, and what it refuses beyond the server has a reason."""
    host, version = server["host"], server["version"]
    configs = Generator(SCHEMA, known(version), SEED).candidates(COUNT)
    found = [redis.problems(config, SCHEMA, version) for config in configs]
    # A port of its own keeps candidates apart that run at the same time.
    texts = [text_of({"port": 20000 + number % 12000, **config}) for number, config in enumerate(configs)]
    print(f"\n{host}: {version}, {len(configs)} configurations, seed {SEED}", flush=True)
    files = {"users.acl": "", "more.conf": "# nothing\n", **certificate(tmp_path)}
    verdicts = ask(
        host,
        {
            "do": "start",
            "files": files,
            "candidates": [{"text": text, "ping": number % 8 == 1} for number, text in enumerate(texts)],
        },
    )

    fatal = [
        (config, text, verdict)
        for config, text, verdict, problems in zip(configs, texts, verdicts, found, strict=True)
        if verdict and not problems
    ]
    stricter, unexplained = collections.Counter(), []
    for text, verdict, problems in zip(texts, verdicts, found, strict=True):
        if not verdict and problems:
            reason = next(
                (
                    why
                    for why, (_share, pattern) in STRICTER.items()
                    if any(re.search(pattern, one.message) for one in problems)
                ),
                None,
            )
            stricter[reason] += 1
            if reason is None:
                unexplained.append((text, problems))
    both = sum(1 for verdict, problems in zip(verdicts, found, strict=True) if verdict and problems)
    neither = sum(1 for verdict, problems in zip(verdicts, found, strict=True) if not verdict and not problems)
    print(
        f"{host}: accepted and running {neither}, refused and fatal {both}, accepted but fatal {len(fatal)}, "
        f"refused but fine {sum(stricter.values())}"
    )
    for reason, number in stricter.most_common():
        print(f"  {number:4}  {reason}")
    for config, text, verdict in fatal[:20]:
        print(f"accepted but fatal: {config}\n{text}-> {verdict}\n")
    for text, problems in unexplained[:20]:
        print(f"refused but fine, no reason listed: {[(one.key, one.value, one.message) for one in problems]}\n{text}")
    assert not fatal
    assert not unexplained
    assert {why: number for why, number in stricter.items() if number > max(3, STRICTER[why][0] * len(configs))} == {}
    assert min(both, neither) >= len(configs) // 5, "the generator must ask both kinds of questions"


def test_text_is_read_back(server):
    """Each awkward text arrives in the server as the inventory has it."""
    names = ["requirepass", "masterauth", "masteruser", "syslog-ident", "tls-ciphers", "dbfilename"]
    for text in NASTY:
        config = {"port": 0, **dict.fromkeys(names[:-1], text), "dbfilename": re.sub(r"[/\\]", "_", text)[:50]}
        assert redis.problems({**config, "unixsocket": "/x"}, SCHEMA, server["version"]) == []
        question = {"do": "read", "files": {}, "text": text_of(config), "password": text, "names": names}
        assert ask(server["host"], question) == {name: config[name] for name in names}


def test_names(server):
    """Each name that the server lists is in the schema for its version, and the other way round."""
    names = known(server["version"])
    missing = sorted(set(server["listed"]) - set(names) - FOR_TESTS)
    invented = sorted(name for name, line in names.items() if not line.get("file_only") and name not in server["known"])
    assert not missing
    assert not invented


def test_defaults(server):
    """The schema's defaults are what a server without a configuration says."""
    ours = {"port", "unixsocket", "dir", "pidfile"}  # set by the judge
    wrong = {
        name: (line["default"], server["known"].get(name))
        for name, line in known(server["version"]).items()
        if name not in ours
        and "default" in line
        and not line.get("file_only")
        and line["default"] != server["known"].get(name)
    }
    assert not wrong


def test_live(server):
    """CONFIG SET of the present value is refused exactly for what the schema calls not live."""
    refusal = re.compile("immutable|protected config|Unsupported CONFIG|Unknown option")
    refused = {name for name, reply in server["set"].items() if refusal.search(str(reply))}
    names = {name: line for name, line in known(server["version"]).items() if not line.get("file_only")}
    wrong = {
        name: server["set"].get(name)
        for name in names
        if redis.is_live(name, SCHEMA, server["version"]) == (name in refused)
    }
    assert not wrong
