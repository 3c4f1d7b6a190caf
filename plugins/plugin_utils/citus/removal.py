"""What the verb of a removal takes away: a worker by its host, or the whole cluster by its database. Pure."""


def leaving(nodes, options, target):
    """Return the hosts that leave."""
    if not nodes or not target:
        return []
    if target == nodes[0].get("citus_database", options):
        return [node.name for node in nodes]
    return [node.name for node in nodes if node.name == target and not node.coordinates]


def problems(nodes, options, target):
    """Yield what is wrong with the target."""
    if not nodes or leaving(nodes, options, target):
        return
    database = nodes[0].get("citus_database", options)
    choice = (
        f"write one of {', '.join(node.name for node in nodes if not node.coordinates)}, or {database} for all of it"
    )
    if not target:
        yield f"citus_remove: is missing; {choice}"
    elif target in [node.name for node in nodes]:
        yield f"citus_remove: {target} is the coordinator, which does not leave alone; {choice}"
    else:
        yield f"citus_remove: {target} is no node of the cluster; {choice}"
