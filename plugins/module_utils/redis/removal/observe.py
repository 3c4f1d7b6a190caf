"""What there is of a server that is to leave its machine, and who is primary of its deployment. Reads only."""

import glob
import os

from ansible_collections.cistern.core.plugins.module_utils.host import files, systemd
from ansible_collections.cistern.core.plugins.module_utils.redis import conf as redis_conf
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology
from ansible_collections.cistern.core.plugins.module_utils.redis.contract import Deployment, Node
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.contract import Have, Want


def observe(want: Want) -> Have:
    """Return what there is of it on this machine, and who is primary of its deployment."""
    text = files.observe([want["conf"]])[want["conf"]]
    conf = text["text"] if text else ""
    have: Have = {
        "unit": systemd.observe(want["unit"]),
        "files": [path for path in [want["conf"], *want["files"]] if os.path.lexists(path)],
        "data": data(want["data_dir"], conf) if want["data_dir"] else [],
        "decision": None,
    }
    if want["deployment"]:
        passwords = [want["password"], redis_conf.value(conf, "requirepass")]
        _seen, have["decision"] = redis_topology.settle(
            lambda: _look(want["deployment"], passwords, want["sentinel_password"]), want["deployment"]
        )
    return have


def _look(deployment: Deployment, passwords, sentinel_password):
    """This instance is asked like the others: that it stays no more does not make another one primary."""
    address, port = str(deployment["me"]).split(" ")
    me: Node = {"host": "this instance", "address": address, "port": int(port)}
    whole: Deployment = {**deployment, "me": None, "nodes": [*deployment["nodes"], me]}
    return redis_topology.view(whole, passwords, sentinel_password)


def data(folder, text):
    """Return the files of data of an instance; other instances may have theirs below the same folder."""
    usual_names = {"dbfilename": "dump.rdb", "appenddirname": "appendonlydir", "appendfilename": "appendonly.aof"}
    patterns = [redis_conf.value(text, name, usual) for name, usual in usual_names.items()]
    return sorted(path for pattern in patterns for path in glob.glob(os.path.join(folder, pattern)))
