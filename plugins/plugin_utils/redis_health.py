"""What is not whole at the end of a run: the sentences of all hosts, each once."""


def of_instances(told):
    """Return the sentences of instances; `told` is {host: (deployment, health)}, as redis_config tells health."""
    found = []
    for host, (deployment, health) in told.items():
        found += [f"{host}: {text}" for text in health.get("instance", [])]
        found += [f"deployment {deployment}: {text}" for text in health.get("deployment", [])]
    return list(dict.fromkeys(found))


def of_sentinels(told):
    """Return the sentences of Sentinels. `told` is {host: health}, as the module redis_sentinel returns it."""
    return [
        f"deployment {name}: {host}: {text}"
        for host, health in told.items()
        for name, texts in health.items()
        for text in texts
    ]
