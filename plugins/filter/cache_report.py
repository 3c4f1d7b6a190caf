"""What the program that tells the metrics of a cache has to know of its deployment."""

from ansible_collections.cistern.core.plugins.plugin_utils.cache import deployments as cache_members


def cache_nodes(instances, deployment):
    """Return {host, address, port} of the instances of a deployment, as cache_check told them."""
    return cache_members.nodes(deployment, instances)


def cache_outline(policy):
    """Return of a policy what a walk needs: names, patterns, types and times."""
    families = policy.get("families", {})
    wanted = ("key", "type", "ttl")
    return {
        "deployment": policy.get("deployment", ""),
        "families": {name: {key: family[key] for key in wanted} for name, family in families.items()},
    }


class FilterModule:
    def filters(self):
        return {"cache_nodes": cache_nodes, "cache_outline": cache_outline}
