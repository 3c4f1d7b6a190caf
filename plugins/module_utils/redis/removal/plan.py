"""How a server is taken off its machine. Pure: `have` is what observe() returns, `want` are the module's options."""

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused
from ansible_collections.cistern.core.plugins.module_utils.redis.removal.contract import Have, Step, Want


def plan(want: Want, have: Have) -> list[Step]:
    """Return the steps, in order."""
    decision = have["decision"]
    if decision and have["unit"]["active"] == "active":
        if not decision.settled:
            raise Refused(f"{decision.why}. Nothing was removed; run again when that has ended.")
        if decision.primary == want["deployment"]["me"]:
            name = want["deployment"]["name"]
            raise Refused(
                f"It is the primary of {name}. Make another one primary first: "
                f"ansible-playbook playbooks/redis_failover.yml -e redis_failover={name}"
            )
    steps: list[Step] = []
    if have["unit"]["active"] not in ("inactive", "failed"):
        steps.append({"do": "stop", "what": want["unit"]})
    if have["unit"]["enabled"] == "enabled":
        steps.append({"do": "disable", "what": want["unit"]})
    steps += [{"do": "set aside" if path == want["conf"] else "delete", "what": path} for path in have["files"]]
    if set(have["files"]) & set(want["files"]):
        steps.append({"do": "reload units", "what": ""})
    return steps + [{"do": "delete", "what": path} for path in have["data"] if want["data"]]


def describe(step: Step) -> str:
    return f"{step['do']} {step['what']}".strip()
