"""How a case says what differs from the usual."""


def deep_merge(base, change):
    """A mapping is laid over a mapping; anything else replaces."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return {**base, **{key: deep_merge(base.get(key), value) for key, value in change.items()}}
