"""One step of a removal."""

import os
import shutil

from ansible_collections.cistern.core.plugins.module_utils.host import systemd
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.contract import Step


def apply(step: Step) -> None:
    """Take one step."""
    do, what = step["do"], step["what"]
    if do in ("stop", "disable"):
        systemd.do(do, what)
    elif do == "reload units":
        systemd.do("daemon-reload")
    elif do == "set aside":
        os.replace(what, what + ".removed")
    elif os.path.isdir(what):
        shutil.rmtree(what)
    else:
        os.unlink(what)
