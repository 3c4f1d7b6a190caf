"""Fill a cache after its server has restarted or become primary: asks the server every two seconds who it is.

Whatever restarts or promotes a server, an operator, a crash, a reboot, Sentinel, playbooks/redis_failover.yml, is seen
here, where no unit has to be tied to another's and the hooks of Sentinel stay the operator's.
"""

import os
import time

from ...redis import resp
from . import checkpoint
from . import job as warm_job

EVERY = 2


def seen(connection):
    """Return what tells one run and one part of a server from another."""
    return {"run_id": connection.info("server")["run_id"], "primary": connection.primary()}


def occasion(before, now):
    """Return what has happened to a server: restart, failover, or None. What is no primary is not filled. Pure."""
    if not now["primary"] or not before:
        return None
    if not before["primary"]:
        return "failover"
    return "restart" if before["run_id"] != now["run_id"] else None


def watch(job, folder, fill, stops=lambda: False, sleep=time.sleep):
    """Call `fill(occasion)` at each; what was seen last is on disk, so a reboot of the machine is a restart too.

    An occasion counts as seen when it has been answered: a filling that is killed is begun again.
    """
    path, connection = os.path.join(folder, "seen.json"), None
    before = checkpoint.read(path)
    while not stops():
        try:
            connection = connection or warm_job.connect(job)
            now = seen(connection)
            if now != before:
                found = occasion(before, now)
                if found is None or fill(found):
                    before = now
                    checkpoint.write(path, now)
        except (OSError, resp.Refused):
            # it is down, or loads its data; the supervisor of the server says so, not this
            if connection:
                connection.close()
            connection = None
        sleep(EVERY)
