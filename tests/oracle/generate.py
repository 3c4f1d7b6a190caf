"""Random configurations in the inventory's spelling: valid ones, and ones with a single fault that people make.

Everything comes from the schema and a seeded random generator, so a run can be repeated. What depends on the machine
alone (certificates and folders that exist, free ports, locales) is drawn from what every host has.
"""

import pathlib
import random
import string

import yaml

FAULTS = yaml.safe_load((pathlib.Path(__file__).parent / "faults.yml").read_text())
NASTY = [
    "a b",
    'quo"te',
    "it's",
    "back\\slash",
    "#hash",
    "ünï ☃",
    '"',
    "'",
    "\\",
    "\\x41",
    '\\"',
    "tab\there",
    "$(id)",
    "%s",
    "{x}",
    "a  b",
    " lead",
    "trail ",
    "yes",
    "0",
    "-1",
    "~",
    "!",
    "a,b",
    "[]",
    "\x01",
    "`",
    "a\\",
    "x" * 300,
    "é" * 40,
]
WORD = string.ascii_lowercase + string.digits
PATHS = {
    "dir": ["/ORACLE"],
    "include": ["/ORACLE/more.conf"],
    "aclfile": ["/ORACLE/users.acl", ""],
    "unixsocket": ["/ORACLE/s.sock", ""],
    "pidfile": ["/ORACLE/p.pid", ""],
    "logfile": ["/ORACLE/r.log", ""],
}
SIZES = ["b", "k", "kb", "m", "mb", "g", "gb", "KB", "Mb", "GB", ""]
RENAMES = ['FLUSHALL ""', "flushdb ''", "DEBUG dbg", "KEYS keys-secret"]
# Good values of the types that are texts and lines; @ stands for a random word.
GOOD = {
    "string": ["@", "", "a b"],
    "filename": ["@", "@.x", "a b"],
    "hostname": ["@", "a.b-c", ""],
    "locale": ["", "C", "POSIX"],
    "nodename": ["@", "node 1", ""],
    "ipv4": ["", "10.0.0.1"],
    "ipv6": ["", "::1"],
    "template": ["{title}x", "redis {port}", "{{x", "{title} {listen-addr} {server-mode}", "{config-file} {port}"],
    "addresses": [
        "127.0.0.1",
        ["127.0.0.1"],
        "127.0.0.1 -::1",
        ["127.0.0.1", "-::1"],
        "* -::*",
        "-10.99.0.1 127.0.0.1",
    ],
    "percents": ["", "50", "50 99.9", [1, 99.99], "0 100"],
    "numbers": ["0 200 800", [-2000, 0, 2000]],
    "endpoint": ["127.0.0.1 1", ["localhost", 7777]],
    "module": [[]],
    "save": [[], "", "900 1", "900 1 300 10", ["900 1", "300 10"], [[60, 0]]],
    "output_limits": ["normal 0 0 0", ["replica 256mb 64mb 60", "pubsub 32mb 8mb 60"], "slave 1gb 0 0 normal 1 1 1"],
    "flags": ["default", "save", "nosave now", ["save", "force"], "NOW"],
}


class Generator:
    """Draws candidates for servers of one version. `known` are the schema's names that this version has."""

    def __init__(self, schema: dict, known: dict, seed: int):
        self.schema, self.known, self.random = schema, known, random.Random(seed)

    def candidates(self, count: int) -> list[dict]:
        """That many configurations: half valid by intention, half with one fault."""
        return [self.valid() if number % 2 else self.faulty() for number in range(count)]

    def valid(self) -> dict:
        """A few directives with values that should do."""
        names = self.random.sample(sorted(self.known), self.random.choice([1, 2, 3, 5, 8, 20]))
        return {name: self.value(name) for name in names}

    def faulty(self) -> dict:
        """A valid configuration and one fault in it."""
        config = self.valid()
        name = self.random.choice(sorted(config))
        faults = [self.typo, self.foreign, self.other_case, self.unit, self.twice, self.null, self.dead]
        more = [self.bound, self.kind, self.arity, self.arity, self.nasty, self.together]
        self.random.choice(faults + more * 2)(config, name)
        return config

    def value(self, name: str) -> object:
        """A value that the schema allows."""
        spec, pick = self.known[name], self.random.choice
        kind = spec["type"]
        low, high = spec.get("min", 0), spec.get("max")
        if kind == "bool":
            return pick([True, False, "yes", "no", "YES"])
        if kind in ("int", "long"):
            if name in ("port", "tls-port"):
                return 0 if name == "tls-port" else self.random.randint(20000, 32000)
            if name == "databases":
                return self.random.randint(1, 200)
            top = high or (2**31 - 1 if kind == "int" else 2**63 - 1)
            number = pick([low, top, self.random.randint(low, top), self.random.randint(low, min(top, low + 1000))])
            return pick([number, str(number)])
        if kind == "octal":
            return pick(["700", "0770", "777", "0", 600])
        if kind in ("memory", "memory_or_percent"):
            if kind == "memory_or_percent" and self.random.random() < 0.4:
                return pick(["0%", "5%", "100%"])
            units = ("mb", "GB", "m", "g") if low > 1000 else SIZES
            number = self.random.randint(max(low, 1), 2**40)
            return pick([f"{self.random.randint(2, 2000)}{pick(units)}", max(low, 64), number])
        if kind in ("enum", "words"):
            words = spec["values"]
            some = self.random.sample(words, self.random.randint(0, len(words)))
            return pick(words) if kind == "enum" else " ".join(some)
        if kind == "events":
            return "".join(self.random.sample(spec["values"], self.random.randint(0, 6)))
        if kind == "path":
            return pick(PATHS.get(name, ["", "/ORACLE/file"]))
        if kind == "rename":
            return pick([[], self.random.sample(RENAMES, 2), pick(RENAMES)])
        if kind == "user":
            return [self.user(FAULTS["good_rules"]) for _ in range(pick([1, 2]))]
        if kind == "string" and name != "cluster-config-file" and self.random.random() < 0.3:
            return pick(NASTY)
        value = pick(GOOD[kind])
        return value.replace("@", "".join(self.random.choices(WORD, k=8))) if isinstance(value, str) else value

    def user(self, rules: list[str]) -> str:
        """A user line of some of these rules."""
        name = "".join(self.random.choices(WORD, k=6))
        return " ".join([name, *self.random.sample(rules, self.random.randint(0, 5))])

    def typo(self, config: dict, name: str) -> None:
        """A letter less, more or exchanged."""
        at = self.random.randrange(len(name))
        other = self.random.choice(
            [name[:at] + name[at + 1 :], name[:at] + "x" + name[at:], name[:at] + name[at:][::-1], name + "s", "", "zz"]
        )
        config[other.replace("\n", "")] = config.pop(name)

    def foreign(self, config: dict, name: str) -> None:
        """A directive of another version."""
        others = sorted(set(self.schema) - set(self.known))
        other = self.random.choice(others)
        line = self.schema[self.schema[other].get("alias", other)]
        config[other] = line.get("default") if isinstance(line.get("default"), str) else "no"

    def other_case(self, config: dict, name: str) -> None:
        """The name spelled as programs or shouting people do."""
        config[self.random.choice([name.upper(), name.replace("-", "_"), name.title()])] = config.pop(name)

    def bound(self, config: dict, name: str) -> None:
        """A number just outside, at the edge, or far away."""
        numbers = [
            one
            for one, spec in self.known.items()
            if spec["type"] in ("int", "long", "memory", "memory_or_percent", "octal", "numbers")
        ]
        name = self.random.choice(numbers)
        spec = self.known[name]
        low, high = spec.get("min", 0), spec.get("max") or 2**31 - 1
        edge = self.random.choice(
            [low - 1, low, high, high + 1, -1, 2**63 - 1, 2**63, 2**64, 10**25, -(2**31), 777, 778]
        )
        if name not in ("port", "tls-port", "cluster-port") or edge > 65535 or edge < 0:
            config[name] = self.random.choice([edge, str(edge), f"{edge}%"])

    def kind(self, config: dict, name: str) -> None:
        """A value of another type."""
        config[name] = self.random.choice(FAULTS["kinds"])

    def some(self, *types: str) -> str:
        """A name of one of these types."""
        return self.random.choice([name for name, spec in self.known.items() if spec["type"] in types])

    def unit(self, config: dict, name: str) -> None:
        """A size with a unit that the server does not know."""
        config[self.some("memory", "memory_or_percent", "int", "output_limits")] = self.random.choice(FAULTS["units"])

    def arity(self, config: dict, name: str) -> None:
        """Too many or too few arguments."""
        name = self.some(*FAULTS["arity"], "user")
        if self.known[name]["type"] == "user":
            users = [self.user(FAULTS["rules"]) for _ in range(self.random.choice([1, 1, 2]))]
            config[name] = self.random.choice([users, users, users, ["a on", "a off"], "", 'a "', "a b\\ c", [[]]])
        else:
            config[name] = self.random.choice(FAULTS["arity"][self.known[name]["type"]])

    def nasty(self, config: dict, name: str) -> None:
        """Text that breaks careless quoting."""
        name = self.some("string", "filename", "hostname", "nodename", "events", "words", "template", "enum")
        if name != "cluster-config-file":
            config[name] = self.random.choice(
                [*NASTY, "two\nlines", "nul\0", "a/b", "a\\b", "../x", "{title}", "requirepass x\nport 1"]
            )

    def twice(self, config: dict, name: str) -> None:
        """A list where one value is meant, or a directive under both its names."""
        aliases = [one for one in self.known if "alias" in self.schema[one]]
        if self.random.random() < 0.5:
            config[name] = [self.value(name), self.value(name)]
        else:
            alias = self.random.choice(aliases)
            config[alias] = self.value(alias)
            if self.schema[alias]["alias"] in self.known:
                config[self.schema[alias]["alias"]] = self.value(alias)

    def null(self, config: dict, name: str) -> None:
        """A directive taken away."""
        config[name] = None

    def together(self, config: dict, name: str) -> None:
        """Directives that are fine one by one."""
        port = self.random.randint(20000, 32000)
        some = self.random.choice(FAULTS["together"])
        config.update({key: port if value == "PORT" else value for key, value in some.items()})

    def dead(self, config: dict, name: str) -> None:
        """A word that means nothing to this server."""
        config[self.random.choice(FAULTS["dead"])] = self.random.choice([True, 5])
