"""The PostgreSQL clusters of this machine, as Debian keeps them. Reads only."""

import glob
import os
import re

from ansible_collections.cistern.core.plugins.module_utils.host.reading import text_of

FOLDERS = "/etc/postgresql/*/*/postgresql.conf"
SETTING = re.compile(r"^\s*(port|data_directory)\s*[= ]\s*'?([^'#\n]*?)'?\s*(?:#.*)?$", re.MULTILINE)


def observe(pattern=FOLDERS):
    """Return [{name, port, folder, start}]: `name` is version/cluster, `start` auto, manual or disabled."""
    return [_cluster(path) for path in sorted(glob.glob(pattern))]


def _cluster(path):
    folder = os.path.dirname(path)
    settings = {"port": "5432", "data_directory": ""}
    for source in [path, *sorted(glob.glob(f"{folder}/conf.d/*.conf"))]:
        settings.update(SETTING.findall(text_of(source)))
    if settings["data_directory"]:
        # what ALTER SYSTEM wrote comes last
        settings.update(SETTING.findall(text_of(f"{settings['data_directory']}/postgresql.auto.conf")))
    start = re.findall(r"^\s*(\w+)", text_of(f"{folder}/start.conf"), re.MULTILINE)
    return {
        "name": "/".join(folder.split("/")[-2:]),
        "port": int(settings["port"]) if settings["port"].isdigit() else 5432,
        "folder": settings["data_directory"],
        "start": start[0] if start else "auto",
    }
