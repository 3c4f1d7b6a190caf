"""Settings that a Sentinel cannot run with: pure."""

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel import conf
from ansible_collections.cistern.core.plugins.module_utils.redis.sentinel.contract import Have, Want


def refuse(want: Want, have: Have) -> None:
    """Raise Refused with the first of them; `want` and `have` are those of redis_sentinel_plan."""
    for variable, password in [
        ("redis_sentinel_password", want["password"]),
        *[(f"redis_password of {each['name']}", each["auth_pass"]) for each in want["deployments"]],
    ]:
        if not conf.unquoted(password):
            raise Refused(
                f"{variable} has blanks or quotes, or is empty: Sentinel writes it into its file without quoting and "
                "could not start again. Write one without them."
            )
    version, own = have["running_version"] or have["version"], conf.read(want["conf"]["content"])["own"]
    if not conf.live(version) and "yes" in (own.get("resolve-hostnames"), own.get("announce-hostnames")):
        raise Refused(
            f"Redis {version} cannot watch hosts by name. Write addresses into redis_address, "
            "or install Redis 6.2 or later."
        )
    if conf.logs_passwords(version) and not have["first"] and not conf.log_file(want["conf"]["content"]):
        for each in want["deployments"]:
            known = have["monitors"].get(each["name"], {}).get("auth-pass")
            if known != each["auth_pass"] and each["name"] not in have["blocked"]:
                raise Refused(
                    f"A Sentinel of Redis {version} writes redis_password of {each['name']} into its log when it is "
                    "told, and nothing takes it out of the journal again. Write a path into redis_sentinel_log_file."
                )
