"""What is wrong with settings whose effect shows only when a link of a deployment is made anew.

A run would be content with them: the links that stand go on. At the next connection, restart or failover they break.
"""

from ansible_collections.cistern.core.plugins.module_utils.redis import commands as redis_commands
from ansible_collections.cistern.core.plugins.module_utils.redis import modes
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of
from ansible_collections.cistern.core.plugins.plugin_utils.redis import text as redis_text
from ansible_collections.cistern.core.plugins.plugin_utils.redis.instance import LAYERS

TAKE = "take it from users with an ACL instead"
YES = ("yes", "true")


def renamed(value, mode):
    """Return what is wrong with lines of rename-command, or ''."""
    senders = redis_commands.needed(mode)
    for line in redis_text.rows(value, {"type": "rename", "many": True}):
        name = line[0].lower() if line else ""
        if name in senders:
            return f"{senders[name]} needs the command {name.upper()}; {TAKE}"
    return ""


def problems(members, mode):
    """Yield what is wrong with the instances of a replicated deployment, as sentences."""
    for each in members:
        settings = each.directives()
        for name in ("tls-replication", "tls-cluster"):
            if _is(settings, name):
                yield (
                    f"{where(each, name)}: a replica would speak TLS to the plain port of its primary, and get no link "
                    "any more once the present one ends; leave it out, clients may use tls-port all the same"
                )
        ping, limit = (
            integer(settings.get(name), usual)
            for name, usual in (("repl-ping-replica-period", 10), ("repl-timeout", 60))
        )
        if limit <= ping:
            yield (
                f"{where(each, 'repl-timeout')}: {limit} s, and the primary sends a ping every {ping} s "
                "(repl-ping-replica-period): every link would be given up again and again; write more than that"
            )


def risks(members, mode):
    """Yield what a deployment may be wanted to have, and what it costs."""
    if not modes.of(mode).has_sentinels or len(members) == 1:
        return
    # Sentinel promotes no replica of priority 0, and knows none that is not announced
    may = [
        each
        for each in members
        if integer(_first(each.directives(), "replica-priority", "slave-priority"), 100) != 0
        and str(each.directives().get("replica-announced", "yes")).lower() not in ("no", "false")
    ]
    if len(may) < 2:
        names = ", ".join(each.name for each in members if each not in may)
        yield (
            f"replica-priority is 0 or replica-announced no for {names}: no replica could be promoted when the primary "
            "fails; leave it out for one more of its hosts"
        )


def where(instance, name):
    """Return a directive with the layer and the place where it was written."""
    for layer in reversed(LAYERS):
        values = instance.values.get(layer)
        if isinstance(values, dict) and name in values:
            return label_of(instance, (layer, name), f"{name} in {layer}")
    return name


def _first(settings, *names):
    return next((settings[name] for name in names if settings.get(name) is not None), None)


def _is(settings, name):
    return str(settings.get(name, "no")).lower() in YES
