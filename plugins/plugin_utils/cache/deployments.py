"""Which deployment a verb of the cache means, and its instances."""


def request(variable, name, policies):
    """Return (deployment, errors): the one that is named, or the only one that has families."""
    if name in policies:
        return name, []
    if name:
        return None, [f"{variable}: no deployment {name} has key families; write one of {', '.join(policies)}"]
    if len(policies) == 1:
        return next(iter(policies)), []
    if not policies:
        return None, ["no deployment of the inventory has key families"]
    first = next(iter(policies))
    known = ", ".join(policies)
    return None, [f"{variable}: several have key families; name one, such as -e {variable}={first} ({known})"]


def nodes(deployment, instances):
    """Return {host, address, port} of its instances, where the others reach them."""
    return [{"host": host, **each["at"]} for host, each in instances.items() if each["deployment"] == deployment]
