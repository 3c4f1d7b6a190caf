"""Rules of a `user` line and of `rename-command`: what the server would refuse, by the commands that it knows."""

import re

from ansible_collections.cistern.core.plugins.module_utils.redis.conf import SPACES, split_arguments

# Commands by the series that brought them: of the core, then of what a server brings along as a built-in module.
COMMANDS = {
    (6, 0): """acl append asking auth bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos blpop brpop
        brpoplpush bzpopmax bzpopmin client cluster command config dbsize debug decr decrby del discard dump echo eval
        evalsha exec exists expire expireat flushall flushdb geoadd geodist geohash geopos georadius georadius_ro
        georadiusbymember georadiusbymember_ro get getbit getrange getset hdel hello hexists hget hgetall hincrby
        hincrbyfloat hkeys hlen hmget hmset hscan hset hsetnx hstrlen hvals incr incrby incrbyfloat info keys lastsave
        latency lindex linsert llen lolwut lpop lpos lpush lpushx lrange lrem lset ltrim memory mget migrate module
        monitor move mset msetnx multi object persist pexpire pexpireat pfadd pfcount pfdebug pfmerge pfselftest ping
        psetex psubscribe psync pttl publish pubsub punsubscribe randomkey readonly readwrite rename renamenx replconf
        replicaof restore restore-asking role rpop rpoplpush rpush rpushx sadd save scan scard script sdiff sdiffstore
        select set setbit setex setnx setrange shutdown sinter sinterstore sismember slaveof slowlog smembers smove
        sort spop srandmember srem sscan strlen subscribe substr sunion sunionstore swapdb sync time touch ttl type
        unlink unsubscribe unwatch wait watch xack xadd xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup
        xrevrange xsetid xtrim zadd zcard zcount zincrby zinterstore zlexcount zpopmax zpopmin zrange zrangebylex
        zrangebyscore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex
        zrevrangebyscore zrevrank zscan zscore zunionstore""",
    (6, 2): """blmove copy failover geosearch geosearchstore getdel getex hrandfield lmove reset smismember xautoclaim
        zdiff zdiffstore zinter zmscore zrandmember zrangestore zunion""",
    (7, 0): """blmpop bzmpop eval_ro evalsha_ro expiretime fcall fcall_ro function lcs lmpop pexpiretime quit
        sintercard sort_ro spublish ssubscribe sunsubscribe zintercard zmpop""",
    (7, 2): "waitaof",
    (7, 4): "hexpire hexpireat hexpiretime hpersist hpexpire hpexpireat hpexpiretime hpttl httl",
    (8, 0): "hgetdel hgetex hsetex",
}
MODULE_COMMANDS = {(8, 0): "vadd vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrem vsetattr vsim"}
# Commands of 7.0 and later that consist of subcommands, each with rights of its own.
SUBCOMMANDS = {
    "acl": "cat deluser dryrun genpass getuser help list load log save setuser users whoami",
    "client": "caching getname getredir help id info kill list no-evict no-touch pause reply setinfo setname "
    "tracking trackinginfo unblock unpause",
    "cluster": "addslots addslotsrange bumpepoch count-failure-reports countkeysinslot delslots delslotsrange "
    "failover flushslots forget getkeysinslot help info keyslot links meet myid myshardid nodes replicas "
    "replicate reset saveconfig set-config-epoch setslot shards slaves slots",
    "command": "count docs getkeys getkeysandflags help info list",
    "config": "get help resetstat rewrite set",
    "function": "delete dump flush help kill list load restore stats",
    "latency": "doctor graph help histogram history latest reset",
    "memory": "doctor help malloc-stats purge stats usage",
    "module": "help list load loadex unload",
    "object": "encoding freq help idletime refcount",
    "pubsub": "channels help numpat numsub shardchannels shardnumsub",
    "script": "debug exists flush help kill load",
    "slowlog": "get help len reset",
    "xgroup": "create createconsumer delconsumer destroy help setid",
    "xinfo": "consumers groups help stream",
}
SUBCOMMANDS_SINCE_72 = ("client|no-touch", "client|setinfo", "cluster|myshardid")
CATEGORIES = {
    "all",
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
}
Series = tuple[int, int]


def commands(series: Series, modules: bool = False) -> set[str]:
    """Names of the commands that a server of this series knows."""
    tables = [COMMANDS, MODULE_COMMANDS] if modules else [COMMANDS]
    return {name for table in tables for since, names in table.items() if since <= series for name in names.split()}


def wrong_renames(lines: list[list[str]], series: Series) -> str | None:
    """What is wrong with the rename-command lines, in their order; new names are secrets and not repeated."""
    names = commands(series)
    for line in lines:
        if len(line) != 2:
            return "must be a command and its new name, or '' to switch it off"
        old, new = line[0].lower(), line[1].lower()
        if old not in names:
            return f"renames {line[0]!r}, which is not a command of Redis {series[0]}.{series[1]} or is renamed already"
        names.remove(old)
        if new in names:
            return f"renames {line[0]!r} to a name that is taken"
        if new:
            names.add(new)
    return None


def wrong_users(lines: list[list[str]], series: Series, channels: bool, modules: bool) -> str | None:
    """What is wrong with the user lines. channels: new users may use all of them; modules: some are loaded."""
    seen: set[str] = set()
    for line in lines:
        name = line[0] if line else ""
        if not name or re.search(r"[\s\0]", name):
            return "must start with the user's name, without spaces"
        if name in seen:
            return f"names {name!r} twice"
        seen.add(name)
        found = _Rules(series, channels, modules).wrong(line[1:])
        if found:
            return f"of {name!r} {found}"
    return None


class _Rules:
    """The state that the server keeps while it reads the rules of one user or of one selector."""

    def __init__(self, series: Series, channels: bool, modules: bool):
        self.series, self.modules, self.open_channels = series, modules, channels
        self.passwords: set[str] = set()
        self._reset()

    def _reset(self) -> None:
        self.all_keys, self.all_channels, self.granted = False, self.open_channels, False
        self.passwords.clear()

    def wrong(self, rules: list[str]) -> str | None:
        """The first rule that the server would refuse, without a password in the answer."""
        merged: list[str] = []
        for rule in rules:
            if self.series >= (7, 0) and merged and merged[-1].startswith("(") and not merged[-1].endswith(")"):
                merged[-1] += " " + rule
            else:
                merged.append(rule)
        return next((found for rule in merged if rule for found in [self._user(rule)] if found), None)

    def _user(self, rule: str) -> str | None:
        word, mark, rest = rule.lower(), rule[0], rule[1:]
        if word in ("on", "off") or (word in ("sanitize-payload", "skip-sanitize-payload") and self.series >= (6, 2)):
            return None
        if word in ("nopass", "resetpass"):
            self.passwords.clear()
            return None
        if mark in "><":
            if mark == "<" and rest not in self.passwords:
                return "takes a password away that is not there"
            (self.passwords.add if mark == ">" else self.passwords.discard)(rest)
            return None
        if mark in "#!":
            fits = re.fullmatch(r"[0-9a-f]{64}", rest)
            if not fits or (mark == "!" and mark + rest not in self.passwords):
                return "has a hash that is not 64 lower-case hexadecimal digits, or takes one away that is not there"
            (self.passwords.add if mark == "#" else self.passwords.discard)("!" + rest)
            return None
        if self.series >= (7, 0) and (mark == "(" or word == "clearselectors"):
            return None if word == "clearselectors" else self._selector(rule)
        if word == "reset":
            self._reset()
            return None
        return self._rule(rule)

    def _selector(self, rule: str) -> str | None:
        if not rule.endswith(")"):
            return "has a selector that is not closed"
        inner = _Rules(self.series, False, self.modules)
        try:
            parts = split_arguments(rule[1:-1])
        except ValueError:
            return "has a quote in a selector that is not closed"
        return next((found for part in parts for found in [inner._rule(part)] if found), None)

    def _rule(self, rule: str) -> str | None:
        word = rule.lower()
        if word in ("allkeys", "~*", "resetkeys"):
            self.all_keys = word != "resetkeys"
            return None
        if word in ("allchannels", "&*", "resetchannels") and self.series >= (6, 2):
            self.all_channels = word != "resetchannels"
            return None
        if word in ("allcommands", "nocommands"):
            self.granted = word == "allcommands"
            return None
        keys = re.match(r"~|%(r|w|rw|wr)~", word) if self.series >= (7, 0) else re.match("~", word)
        if keys or (rule[:1] == "&" and self.series >= (6, 2)):
            if self.all_keys if keys else self.all_channels:
                return f"has {rule!r} after all are allowed; write reset{'keys' if keys else 'channels'} before it"
            return f"has {rule!r}, which must not contain spaces" if any(char in SPACES for char in rule) else None
        if rule[:1] in ("+", "-") and len(rule) > 1:
            return self._right(rule[0], word[1:])
        return f"has {rule!r}, which is not a rule of ACLs in Redis {self.series[0]}.{self.series[1]}"

    def _right(self, sign: str, name: str) -> str | None:
        if name.startswith("@"):
            self.granted = sign == "+"
            return None if name[1:] in CATEGORIES or self.modules else f"names {name!r}, which is not a category"
        command, bar, sub = name.partition("|")
        unknown = f"names {name!r}, which is not a command of Redis {self.series[0]}.{self.series[1]}"
        if command not in commands(self.series, modules=True):
            # Names with a dot belong to modules, which may bring them.
            return None if self.modules and "." in command else unknown
        if not bar:
            self.granted = self.granted or sign == "+"
            return None
        if self.series < (7, 0):
            wrong = sign == "-" or not sub or (self.series < (6, 2) and self.granted)
            return f"has {sign + name!r}: before Redis 7.0 a subcommand is only added, to no rights" if wrong else None
        late = name in SUBCOMMANDS_SINCE_72 and self.series < (7, 2)
        if command in SUBCOMMANDS:
            return unknown if late or sub not in SUBCOMMANDS[command].split() else None
        return unknown if sign == "-" or not sub or "|" in sub else None
