"""Filters of the monitoring role: files of a host, made from lists."""

import json
import os

from ansible_collections.cistern.core.plugins.plugin_utils.common.role_files import ROLES

ROOTS = {"owner": "root", "group": "root", "mode": "0644"}


def monitoring_targets(targets, folder):
    """Return a file of targets for each job, as Prometheus reads them."""
    return [
        {"path": f"{folder}/{job}.json", "content": json.dumps(entries, indent=2) + "\n", **ROOTS}
        for job, entries in sorted(targets.items())
    ]


def monitoring_shipped(sources, folder):
    """Return a file below a folder of the host for each file of the controller."""
    return [{"source": path, "path": f"{folder}/{os.path.basename(path)}", **ROOTS} for path in sorted(sources)]


def monitoring_own_files(pattern, folder):
    """Return a file below a folder of the host for each file of the role that the pattern means."""
    return monitoring_shipped(map(str, (ROLES / "monitoring/files").glob(pattern)), folder)


def monitoring_refused(sentences):
    """Return what is in the way on the machines, as one message."""
    count = f"{len(sentences)} error{'s' if len(sentences) > 1 else ''}"
    summary = f"The inventory has {count}. Where it has one nothing was touched, and packages were installed nowhere."
    return "\n".join([summary, *[f"- {each}" for each in sentences]])


FILTERS = (monitoring_own_files, monitoring_refused, monitoring_shipped, monitoring_targets)


class FilterModule:
    def filters(self):
        return {each.__name__: each for each in FILTERS}
