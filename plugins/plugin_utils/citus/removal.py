"""What the verb of a removal takes away: a worker by its host, or the whole cluster by its database. Pure."""


def leaving(nodes, options, wish):
    """Return the hosts that leave."""
    if not nodes or not wish:
        return []
    if wish == nodes[0].get("citus_database", options):
        return [node.name for node in nodes]
    return [node.name for node in nodes if node.name == wish and not node.coordinates]


def problems(nodes, options, wish):
    """Yield what is wrong with the wish."""
    if not nodes or leaving(nodes, options, wish):
        return
    database = nodes[0].get("citus_database", options)
    choice = (
        f"write one of {', '.join(node.name for node in nodes if not node.coordinates)}, or {database} for all of it"
    )
    if not wish:
        yield f"citus_remove: is missing; {choice}"
    elif wish in [node.name for node in nodes]:
        yield f"citus_remove: {wish} is the coordinator, which does not leave alone; {choice}"
    else:
        yield f"citus_remove: {wish} is no node of the cluster; {choice}"
