"""An instance of Redis that is as the inventory wants it, as its planner is given it."""

SETTINGS = {
    "maxmemory": "268435456",
    "save": "900 1",
    "appendonly": "no",
    "databases": "16",
    "maxclients": "10000",
    "requirepass": "secret",
    "dir": "/var/lib/redis",
    "dbfilename": "dump.rdb",
    "appendfilename": "appendonly.aof",
    "appenddirname": "appendonlydir",
    "replica-priority": "100",
    "slave-priority": "100",
    "rename-command": "flushall get set",
    "loadmodule": "",
}


def usual():
    conf = {"path": "/etc/redis/redis.conf", "content": "x", "owner": "redis", "group": "redis", "mode": "0640"}
    unit = {
        "path": "/etc/systemd/system/x.d/cistern.conf",
        "content": "u",
        "owner": "root",
        "group": "root",
        "mode": "0644",
        "unit": True,
    }
    found = {"kind": "file", "mtime": 100}
    want = {
        "conf": conf,
        "files": [unit],
        "unit": "redis-server.service",
        "kernel": {"vm.overcommit_memory": 1},
        "restart": True,
        "force_restart": False,
        "deployment": {},
        "immutable": ["databases", "dir", "dbfilename", "appendfilename", "appenddirname"],
        "aliases": {"slave-priority": "replica-priority"},
    }
    have = {
        "files": {file["path"]: {**file, **found, "text": file["content"]} for file in (conf, unit)},
        "unit": {
            "load": "loaded",
            "active": "active",
            "enabled": "enabled",
            "reload": False,
            "pid": 7,
            "started": 200,
            "replaced": False,
        },
        "kernel": {"vm.overcommit_memory": "1"},
        "container": False,
        "version": "7.0.15",
        "running_version": "7.0.15",
        "wanted": dict(SETTINGS),
        "on_disk": dict(SETTINGS),
        "running": {k: v for k, v in SETTINGS.items() if isinstance(v, str)},
        "keys": 0,
        "databases": [],
        "stored": False,
        "descriptors": 65535,
        "replicaof": "",
        "state": None,
        "decision": None,
        "no_password": [],
        "acl_file": "",
        "acl_default": None,
        "wrong_default": False,
        "open": [],
    }
    return want, have
