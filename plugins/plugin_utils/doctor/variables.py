"""What is wrong with the variables of the doctor. Pure, but for the folder of its JSON, which is looked for."""

import os
import typing

from ansible_collections.cistern.core.plugins.plugin_utils.common import validation as variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import integer, label_of


class Host(typing.NamedTuple):
    """One inventory host, as it was read."""

    name: str
    values: dict
    origins: dict
    broken: dict


def check(hosts, options, thresholds):
    """Return the errors of all hosts, each once."""
    found = [text for host in hosts for text in _problems(host, options, thresholds)]
    return list(dict.fromkeys(found))


def _problems(host, options, thresholds):
    yield from variables.problems(host, options, home="group_vars/all")
    yield from variables.thresholds(host, "doctor_thresholds", thresholds)
    seconds = host.values.get("doctor_seconds", 1)
    if integer(seconds, 1) < 1:
        yield f"{label_of(host, 'doctor_seconds')}: is {seconds}; write seconds, at least 1"
    path = host.values.get("doctor_json")
    if not isinstance(path, str) or not path:
        return
    label, folder = label_of(host, "doctor_json"), os.path.dirname(os.path.abspath(os.path.expanduser(path)))
    if not os.path.isdir(folder):
        yield f"{label}: there is no folder {folder} on this machine; make it, or write another path"
    elif not os.access(folder, os.W_OK):
        yield f"{label}: nothing can be written into {folder}; write another path"
