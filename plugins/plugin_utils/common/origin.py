"""Where a value of the inventory was written; Ansible keeps that, but not in its public interface."""

import os

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None


def position(value):
    """Return (path, line, column) of where a value was written; each is None where that is not known."""
    tag = Origin.get_tag(value) if Origin else None
    return (tag.path, tag.line_num, tag.col_num) if tag else (None, None, None)


def origin(*values):
    """Return where the first value that has an origin was written, path:line below the present folder; '' for none."""
    for tag in (Origin.get_tag(value) for value in values if Origin):
        if tag and tag.path:
            path = os.path.relpath(tag.path)
            path = tag.path if path.startswith("..") else path
            return f"{path}:{tag.line_num}" if tag.line_num else path
        if tag:
            return tag.description or ""
    return ""
