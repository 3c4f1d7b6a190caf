"""Random configurations in the inventory's spelling: valid ones, and ones with a single fault that people make.

Everything comes from the schema and a seeded random generator, so a run can be repeated. What depends on the machine alone
(certificates and folders that exist, free ports, locales) is drawn from what every host has.
"""
import random
import string

NASTY = ['a b', 'quo"te', "it's", "back\\slash", "#hash", "ünï ☃", '"', "'", "\\", "\\x41", '\\"', "tab\there", "$(id)", "%s", "{x}",
         "a  b", " lead", "trail ", "yes", "0", "-1", "~", "!", "a,b", "[]", "\x01", "`", "a\\", "x" * 300, "é" * 40]
WORD = string.ascii_lowercase + string.digits
PATHS = {"dir": ["/ORACLE"], "include": ["/ORACLE/more.conf"], "aclfile": ["/ORACLE/users.acl", ""],
         "unixsocket": ["/ORACLE/s.sock", ""], "pidfile": ["/ORACLE/p.pid", ""], "logfile": ["/ORACLE/r.log", ""],
         "cluster-config-file": ["nodes.conf", "/ORACLE/n.conf"]}
SIZES = ["b", "k", "kb", "m", "mb", "g", "gb", "KB", "Mb", "GB", ""]
ADDRESSES = [["127.0.0.1"], "127.0.0.1 -::1", ["127.0.0.1", "-::1"], "127.0.0.1", "* -::*", "127.0.0.1 127.0.0.2", "-10.99.0.1 127.0.0.1"]
RULES = ["on", "off", "allkeys", "~*", "~app:*", "resetkeys", "+@all", "-@all", "+@read", "-@dangerous", "+get", "-flushall", "+set",
         "+config|get", "+client|no-touch", "-config|set", "+select|0", "nopass", "resetpass", ">pass", "<pass", '">pa ss"', "allchannels",
         "&news:*", "&*", "resetchannels", "reset", "+@nosuch", "+nosuch", "%R~a*", "%RW~*", "%X~*", "(+get ~a*)", "(+get ~a* &b)", "(on)",
         "(+get", "clearselectors", "sanitize-payload", "#" + "ab" * 32, "#abc", "!" + "ab" * 32, "bogus", "allcommands", "nocommands",
         "+get|x", "+config|nosuch", "+config|get|x", "+hexpire", "+vadd", "+GET", "ON", "~a ~b", '"~a b"', "~", "&", "+", "+get|"]
GOOD_RULES = ["on", "off", "~*", "~app:*", "resetkeys ~a", "+@all", "-@all", "+@read", "+get", "-flushall", "nopass", ">pass", '">pa \\"ss"', "reset",
              "#" + "ab" * 32, "resetpass"]
RENAMES = ["FLUSHALL \"\"", "flushdb ''", "DEBUG dbg", "KEYS keys-secret", "CONFIG \"\"", "get put", "nosuch x", "GET SET", "keys",
           "KEYS a b", "quit bye", "hexpire x", "waitaof x", "stralgo s", "KEYS \"a b\""]


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
        fault = self.random.choice([self.typo, self.foreign, self.other_case, self.bound, self.bound, self.kind, self.kind, self.unit,
                                    self.arity, self.nasty, self.nasty, self.twice, self.null, self.together, self.together, self.dead])
        fault(config, name)
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
            return pick([f"{self.random.randint(2, 2000)}{pick(units)}", max(low, 64), self.random.randint(max(low, 1), 2**40)])
        if kind in ("enum", "words"):
            words = spec["values"]
            return pick(words) if kind == "enum" else " ".join(self.random.sample(words, self.random.randint(0, len(words))))
        if kind == "flags":
            return pick(["default", "save", "nosave now", ["save", "force"], "NOW"])
        if kind == "events":
            return "".join(self.random.sample(spec["values"], self.random.randint(0, 6)))
        if kind == "path":
            return pick(PATHS.get(name, ["", "/ORACLE/file"]))
        return self.text(name, kind)

    def text(self, name: str, kind: str) -> object:
        """A value of the types that are words and lines."""
        pick, word = self.random.choice, "".join(self.random.choices(WORD, k=8))
        options = {
            "string": [word, pick(NASTY), ""], "filename": [word, word + ".x", "a b"], "hostname": [word, "a.b-c", ""],
            "nodename": [word, "node 1", ""], "locale": ["", "C", "POSIX"], "ipv4": ["", "10.0.0.1"], "ipv6": ["", "::1"],
            "template": ["{title}x", "redis {port}", "{{x", "{title} {listen-addr} {server-mode}", "{config-file} {unixsocket} r"],
            "addresses": ADDRESSES, "percents": ["", "50", "50 99.9", [1, 99.99], "0 100"], "numbers": ["0 200 800", [-2000, 0, 2000]],
            "endpoint": ["127.0.0.1 1", ["localhost", 7777]],
            "save": [[], "", "900 1", "900 1 300 10", ["900 1", "300 10"], [[60, 0]]],
            "output_limits": ["normal 0 0 0", ["replica 256mb 64mb 60", "pubsub 32mb 8mb 60"], "slave 1gb 0 0 normal 1 1 1", [["normal", 1, 2, 3]]],
            "rename": [[], self.random.sample(RENAMES[:4], 2), pick(RENAMES[:4])],
            "user": [self.user(GOOD_RULES), [self.user(GOOD_RULES), self.user(GOOD_RULES)]],
            "module": [[]],
        }
        if name == "locale-collate":
            return pick(["", "C"])
        return pick(options[kind])

    def user(self, rules: list[str]) -> str:
        """A user line of some of these rules."""
        name = "".join(self.random.choices(WORD, k=6))
        return " ".join([name, *self.random.sample(rules, self.random.randint(0, 5))])

    def typo(self, config: dict, name: str) -> None:
        """A letter less, more or exchanged."""
        at = self.random.randrange(len(name))
        other = self.random.choice([name[:at] + name[at + 1:], name[:at] + "x" + name[at:], name[:at] + name[at:][::-1], name + "s", "", "zz"])
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
        numbers = [one for one, spec in self.known.items() if spec["type"] in ("int", "long", "memory", "memory_or_percent", "octal", "numbers")]
        name = self.random.choice(numbers)
        spec = self.known[name]
        low, high = spec.get("min", 0), spec.get("max") or 2**31 - 1
        edge = self.random.choice([low - 1, low, high, high + 1, -1, 2**63 - 1, 2**63, 2**64, 10**25, -2**31, 777, 778, 1000])
        if name not in ("port", "tls-port", "cluster-port") or edge > 65535 or edge < 0:
            config[name] = self.random.choice([edge, str(edge), f"{edge}%"])

    def kind(self, config: dict, name: str) -> None:
        """A value of another type."""
        config[name] = self.random.choice([True, "maybe", "true", "on", 1, 0, 1.5, "1e3", "", "none", "0x10", "010", "+5", " 5", "5 ", "٣",
                                           [1, 2], {"a": 1}, "lots", "a b", "-5", "--", "[]", "no one", "none 1"])

    def unit(self, config: dict, name: str) -> None:
        """A size with a unit that the server does not know."""
        names = [one for one, spec in self.known.items() if spec["type"] in ("memory", "memory_or_percent", "int", "output_limits")]
        name = self.random.choice(names)
        config[name] = self.random.choice(["256MiB", "1t", "1tb", "1.5gb", "1 gb", "mb", "b", "gb1", "1kib", "101%", "5 %", "-5%", "%", "1bb",
                                           "256 mb", "1_000", "1,000", "10gigabytes", "1kB", "99999999999gb", "18446744073709551616",
                                           "normal 1t 0 0", "normal 0 0 -1", "master 0 0 0", "normal 0 0", "normal 0 0 0 x", "normal 0 0 1s"])

    def arity(self, config: dict, name: str) -> None:
        """Too many or too few arguments."""
        names = [one for one, spec in self.known.items() if spec["type"] in
                 ("save", "output_limits", "rename", "user", "numbers", "endpoint", "percents", "flags", "addresses", "module", "template")]
        name = self.random.choice(names)
        config[name] = self.random.choice({
            "save": ["900", "900 1 300", "0 1", "900 -1", "x y", ["900 1", ""], "900 1s", [[]], "1 1 1 1 1", "-1 1"],
            "output_limits": ["normal", "", [], "normal 0 0 0 pubsub", "foo 0 0 0", ["normal 0 0 0", "normal"]],
            "rename": [self.random.sample(RENAMES, 2), self.random.choice(RENAMES), ["KEYS x", "KEYS y"], ["KEYS x", "GET x"], ["KEYS x", "GET keys"], ""],
            "user": [self.user(RULES), [self.user(RULES), self.user(RULES)], ["a on", "a off"], "", 'a "', "a b\\ c", ["default on nopass ~* +@all"]],
            "numbers": ["0", "0 0", "0 0 0 0", "0 0 3000", "a b c", "", "-2001 0 0", "0  5   9"],
            "endpoint": ["host", "host 1 2", "host port", "host 65536", "host -1", "", "no one", "a 0"],
            "percents": ["101", "-1", "x", "50 x", "nan", "1e1", ".5", "5.", "inf"],
            "flags": ["", "save nosave", "bogus", "save bogus", [], "default default"],
            "addresses": ["", [], [f"127.0.0.{one}" for one in range(1, 19)], ["127.0.0.1", ""]],
            "module": ["", "module.so", []],
            "template": ["{nope}", "{title", "}", "", " ", "{", "{title}", "{}", "{{", "{unixsocket}", "{tls-port}", "{server-mode}", "{config-file}"],
        }[self.known[name]["type"]])

    def nasty(self, config: dict, name: str) -> None:
        """Text that breaks careless quoting."""
        names = [one for one, spec in self.known.items() if spec["type"] in
                 ("string", "filename", "hostname", "nodename", "locale", "events", "words", "template", "path", "enum")
                 and one not in ("dir", "include", "aclfile", "logfile", "unixsocket", "cluster-config-file", "locale-collate")]
        name = self.random.choice(names)
        config[name] = self.random.choice(NASTY + ["two\nlines", "nul\0", "a/b", "a\\b", "../x", "requirepass x\nport 1", "{title}"])

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
        config.update(self.random.choice([
            {"cluster-enabled": True, "replicaof": "127.0.0.1 1", "port": port}, {"cluster-enabled": True, "port": port, "bind": "127.0.0.1"},
            {"cluster-enabled": True, "port": 60000, "bind": "127.0.0.1"}, {"cluster-enabled": True, "port": 60000, "cluster-port": port, "bind": "127.0.0.1"},
            {"port": 0}, {"port": 0, "unixsocket": "/ORACLE/s.sock"}, {"tls-port": port}, {"tls-replication": True}, {"tls-cluster": "yes"},
            {"tls-port": port, "tls-cert-file": "/ORACLE/tls.crt", "tls-key-file": "/ORACLE/tls.key"},
            {"tls-port": port, "port": 0, "tls-cert-file": "/ORACLE/tls.crt", "tls-key-file": "/ORACLE/tls.key", "tls-auth-clients": False,
             "tls-ca-cert-file": "", "tls-ca-cert-dir": "", "tls-client-cert-file": "", "tls-client-key-file": "", "tls-dh-params-file": "",
             "tls-key-file-pass": "", "tls-client-key-file-pass": "", "tls-ciphers": "", "tls-ciphersuites": "", "bind": "127.0.0.1"},
            {"tls-port": port, "port": port, "tls-cert-file": "/ORACLE/tls.crt", "tls-key-file": "/ORACLE/tls.key", "tls-auth-clients": "no"},
            {"user": "a on", "aclfile": "/ORACLE/users.acl"}, {"user": "a on &x", "acl-pubsub-default": "allchannels"},
            {"user": "a resetchannels &x on", "acl-pubsub-default": "allchannels"}, {"user": "a &x on", "acl-pubsub-default": "resetchannels"},
            {"active-defrag-cycle-min": 50, "active-defrag-cycle-max": 10}, {"activedefrag": True}, {"bind": "", "port": port},
            {"bind": "", "unixsocket": "/ORACLE/s.sock"}, {"appendonly": True, "appendfilename": "x", "dir": "/ORACLE"}, {"sentinel": "x"},
            {"search.threads": 4}, {"maxmemory": "1kb", "maxmemory-policy": "noeviction"}, {"databases": 1, "cluster-enabled": False},
        ]))

    def dead(self, config: dict, name: str) -> None:
        """Words of old files and of the server's own tests."""
        config[self.random.choice(["list-max-ziplist-entries", "vm-enabled", "glueoutputbuf", "use-exit-on-panic", "key-load-delay",
                                   "lua-replicate-commands", "io-threads-do-reads", "gopher-enabled", "hash-max-zipmap-entries"])] = \
            self.random.choice([True, 5])
