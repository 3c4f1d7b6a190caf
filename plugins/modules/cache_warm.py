#!/usr/bin/python
"""Fill key families of a cache from a database or from files."""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import checkpoint
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import fill as warm
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import job as warm_job
from ansible_collections.cistern.core.plugins.module_utils.cache.warm import worker as warm_worker
from ansible_collections.cistern.core.plugins.module_utils.cache.warm.describe import line, planned, replaced
from ansible_collections.cistern.core.plugins.module_utils.host import folders
from ansible_collections.cistern.core.plugins.module_utils.redis import resp

DOCUMENTATION = r"""
module: cache_warm
short_description: Fill key families of a cache from a database or from files
description:
  - Runs on the host of an instance. Where that is a replica, nothing is done.
  - Starts the filling as a process of its own and follows it. One that is under way is waited for first. The process
    goes on where a run is broken off, and what was interrupted is gone on with by the next run.
  - In check mode it tells what it would read and how much of it is missing in the cache.
  - Used through the action of the same name, which runs it again every O(poll) seconds and prints how far it is.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  deployment: {description: Name of the deployment., type: str, required: true}
  name: {description: Name of the instance on its machine., type: str, required: true}
  host: {description: Where the server is reached from its own host., type: str, required: true}
  port: {description: Its port., type: int, required: true}
  password: {description: Its password., type: str, required: true}
  families: {description: The key families that are filled., type: dict, required: true}
  files: {description: Paths on the controller by family; for the action., type: dict, default: {}}
  samples: {description: "By family the C(rows) of its file and first C(keys); in check mode.", type: dict, default: {}}
  database:
    description: Where queries go.
    type: dict
    default: {}
    suboptions:
      host: {description: Its host., type: str}
      port: {description: Its port., type: int, default: 5432}
      name: {description: The database., type: str}
      user: {description: The role., type: str}
      password: {description: Its password., type: str}
      sslmode: {description: As libpq has it., type: str, default: require}
      ca: {description: Text of the certificate of the CA., type: str, default: ''}
      seconds: {description: How long a statement may take., type: int, default: 300}
  rate: {description: "Keys a second; 0 is without a limit.", type: int, default: 20000}
  memory: {description: Share of maxmemory at which it stops., type: float, default: 0.9}
  state_dir: {description: Where it keeps how far it is., type: path, default: /var/lib/cistern/cache-warm}
  data_dir: {description: Where the files of families are., type: path, default: /var/lib/cistern/cache-warm-data}
  stop: {description: End the filling that a run before this has started., type: bool, default: false}
  seconds: {description: "How long the filling may take, followed or not.", type: int, default: 3600}
  poll: {description: After how many seconds a run returns to tell how far it is., type: int, default: 3}
  follow: {description: The filling that this run follows., type: str, default: ''}
"""
EXAMPLES = r"""
- name: Fill user profiles
  cistern.core.cache_warm:
    deployment: cache
    name: redis
    host: 127.0.0.1
    port: 6379
    password: "{{ redis_password }}"
    families:
      user_profile:
        key: user_profile:{user_id}
        type: string
        ttl: 1800
        jitter: 10
        warm: {sql: SELECT user_id, row_to_json(users) AS value FROM users}
    database: {host: db1, name: chat, user: cache_reader, password: "{{ cache_warm_password }}"}
"""
RETURN = r"""
steps: {description: "What was done or, in check mode, would be done, a line a family.", type: list, returned: always}
reports: {description: "What was read, written, kept and failed, and why it ended.", type: list, returned: always}
primary: {description: Whether the instance is a primary., type: bool, returned: on success}
moving:
  description: How far the filling is, with C(message) and C(follow); the next run follows it.
  type: dict
  returned: while it goes on
"""

SPEC = {
    "deployment": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "families": {"type": "dict", "required": True},
    "files": {"type": "dict", "default": {}},
    "samples": {"type": "dict", "default": {}},
    "database": {
        "type": "dict",
        "default": {},
        "options": {
            "host": {"type": "str"},
            "port": {"type": "int", "default": 5432},
            "name": {"type": "str"},
            "user": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "sslmode": {"type": "str", "default": "require"},
            "ca": {"type": "str", "default": ""},
            "seconds": {"type": "int", "default": 300},
        },
    },
    "rate": {"type": "int", "default": 20000},
    "memory": {"type": "float", "default": 0.9},
    "state_dir": {"type": "path", "default": "/var/lib/cistern/cache-warm"},
    "data_dir": {"type": "path", "default": "/var/lib/cistern/cache-warm-data"},
    "stop": {"type": "bool", "default": False},
    "seconds": {"type": "int", "default": 3600},
    "poll": {"type": "int", "default": 3},
    "follow": {"type": "str", "default": ""},
}
KEYS = ("deployment", "name", "host", "port", "password", "rate", "memory", "seconds")


def job_of(params):
    families = {
        name: {**family, "warm": {**family["warm"], "path": os.path.join(params["data_dir"], f"{name}.jsonl")}}
        for name, family in params["families"].items()
    }
    return {**{key: params[key] for key in KEYS}, "families": families, "database": dict(params["database"] or {})}


def with_ca(job, folder):
    """Put the certificate of the database's CA where libpq can read it."""
    text = job["database"].pop("ca", "")
    if text:
        job["database"]["sslrootcert"] = os.path.join(folder, "database-ca.crt")
        checkpoint.write_text(job["database"]["sslrootcert"], text)
    return job


def check(module, job):
    """Say what a run would fill; nothing is written but into the folder of this run of the module."""
    # asked for where it is needed alone: Ansible warns of a folder that it makes
    folder = module.tmpdir if job["database"].get("ca") else ""
    found = warm_job.look(with_ca(job, folder), module.params["samples"])
    broken = [f"{each['family']}: {each['why']}" for each in found or [] if each["why"]]
    steps = planned(job, found or [], module.params["files"])
    result = {"steps": steps, "reports": found or [], "notes": [] if found is not None else [replica(job)]}
    if broken:
        module.fail_json(msg=f"Nothing was filled. {'; '.join(broken)}.", **result)
    changed = any(each["missing"] or replaced(job, each) for each in found or [])
    module.exit_json(changed=changed, primary=found is not None, **result)


def replica(job):
    return f"a replica of {job['deployment']}; its primary is filled"


def run(module, job, folder):
    """Start a filling, or follow the one that runs; return what the module returns."""
    until = time.monotonic() + min(module.params["poll"], module.params["seconds"])
    name = module.params["follow"]
    late = name and not module.params["seconds"]
    if not name:
        with warm_job.connect(job) as connection:
            if not connection.primary():
                module.exit_json(changed=False, steps=[], reports=[], notes=[replica(job)], primary=False)
        own_folder(folder)
        name = _started(with_ca(job, folder), folder, until)
        if not name and not module.params["seconds"]:
            why = "another run fills this cache, and no time is left of cache_warm_seconds"
            module.fail_json(msg=f"Nothing was filled: {why}.", steps=[])
        if not name:
            return {"steps": [], "moving": {"message": "waits for another run that fills this cache", "follow": {}}}
    found = _last(module, folder, name) if late else warm_worker.follow(folder, name, until)
    if not found["ended"]:
        return {"steps": [], "moving": {"message": line(found["reports"]), "follow": {"follow": name}}}
    if found["why"]:
        module.fail_json(msg=f"Nothing more was filled: {found['why']}.", steps=[])
    reports = found["reports"]
    steps = [warm.sentence(report) for report in reports]
    notes = [f"meanwhile the server has evicted {found['evicted']} keys"] if found["evicted"] else []
    result = {"steps": steps, "reports": reports, "notes": notes, "changed": any(each["written"] for each in reports)}
    if any(report["state"] in ("failed", "interrupted") for report in reports):
        names = [report["family"] for report in reports if report["state"] in ("failed", "interrupted")]
        module.fail_json(msg=f"Not filled to the end: {', '.join(names)}. {'. '.join(steps)}.", **result)
    return result


def _last(module, folder, name):
    """Return the last word of a filling whose time is over. It ends by itself, is told to, or the run fails."""
    found = warm_worker.follow(folder, name, time.monotonic() + 2)
    if not found["ended"]:
        warm_worker.stop(folder, name)
        found = warm_worker.follow(folder, name, time.monotonic() + 10)
    if not found["ended"]:
        why = (
            "no time is left of cache_warm_seconds; the filling was told to end, and waits for its source or the server"
        )
        module.fail_json(msg=f"Not filled to the end: {why}.", steps=[])
    return found


def ended(module, folder):
    """End the fillings that earlier runs have started; in check mode, say so."""
    names = warm_worker.running(folder)
    for name in () if module.check_mode else names:
        warm_worker.stop(folder, name)
        warm_worker.follow(folder, name, time.monotonic() + 10)
    return {"steps": ["end the filling that is under way"] if names else [], "changed": bool(names), "reports": []}


def own_folder(folder):
    """Make the folder of the instance. It is owned as the one above is, by the user of the units where there is one.

    Both are closed to others, as the units make them: they tell keys.
    """
    if not os.path.isdir(folder):
        folders.make(os.path.dirname(folder), 0o700)
        folders.make(folder, 0o700)
        above = os.stat(os.path.dirname(folder))
        os.chown(folder, above.st_uid, above.st_gid)


def _started(job, folder, until):
    """Return the name of a filling that was started, None while another run fills the cache."""
    while True:
        try:
            return warm_worker.start(job, folder)
        except warm_job.Busy:
            if time.monotonic() >= until:
                return None
            time.sleep(0.3)


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    folder = os.path.join(module.params["state_dir"], module.params["name"])
    job = job_of(module.params)
    try:
        # a filling is ended also where its server does not answer
        if module.params["stop"] and not module.params["follow"]:
            module.exit_json(primary=True, **ended(module, folder))
        if module.check_mode:
            check(module, job)
        module.exit_json(**{"changed": False, "primary": True, **run(module, job, folder)})
    except (resp.Refused, warm_worker.Lost, OSError) as error:
        module.fail_json(msg=f"{str(error)[:1].upper()}{str(error)[1:]}.", steps=[])


if __name__ == "__main__":
    main()
