"""What the modules of Redis are told: the options that a role has, with files rendered and what the schema knows."""

from ansible_collections.cistern.core.plugins.plugin_utils.common.rendering import rendered
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema


def instance(action, variables, args):
    """Return the options of an instance; its files have `template`."""
    [conf] = rendered(action, variables, [args["conf"]], "redis")
    conf["secret_content"] = conf.pop("content")
    return {
        **args,
        "conf": conf,
        "files": rendered(action, variables, args["files"], "redis"),
        "immutable": schema.immutable(),
        "aliases": schema.aliases(),
    }


def sentinel(action, variables, args):
    """Return the options of a Sentinel; its files have `template` or `source`.

    Its deployments are those of redis_check: what else is to know of one stands in the variables of its hosts, laid
    over `monitor_baseline`.
    """
    [conf] = rendered(action, variables, [args["conf"]], "redis")
    conf["secret_content"] = conf.pop("content")
    deployments = [_deployment(each, args["monitor_baseline"], variables.hostvars) for each in args["deployments"]]
    rest = {name: value for name, value in args.items() if name != "monitor_baseline"}
    return {
        **rest,
        "conf": conf,
        "files": rendered(action, variables, args["files"], "redis"),
        "deployments": deployments,
    }


def _deployment(each, baseline, hostvars):
    host_vars = hostvars[each["nodes"][0]["host"]]
    settings = {**baseline, **host_vars.get("redis_sentinel_config", {})}
    return {
        **{key: each[key] for key in ("name", "mode", "quorum", "initial", "nodes", "sentinels")},
        "auth_pass": host_vars["redis_password"],
        # null takes a setting away
        "settings": {name: str(value) for name, value in settings.items() if value is not None},
    }
