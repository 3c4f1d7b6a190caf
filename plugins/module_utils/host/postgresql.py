"""The PostgreSQL clusters of this machine, as Debian keeps them. Reads only."""

import glob
import os
import re

FOLDERS = "/etc/postgresql/*/*/postgresql.conf"
SETTING = re.compile(r"^\s*(port|data_directory)\s*[= ]\s*'?([^'#\n]*?)'?\s*(?:#.*)?$", re.MULTILINE)


def observe(pattern=FOLDERS):
    """Return [{name, port, folder, start}]: `name` is version/cluster, `start` auto, manual or disabled."""
    return [_cluster(path) for path in sorted(glob.glob(pattern))]


def _cluster(path):
    folder = os.path.dirname(path)
    settings = {"port": "5432", "data_directory": ""}
    for source in [path, *sorted(glob.glob(f"{folder}/conf.d/*.conf"))]:
        settings.update(SETTING.findall(_text(source)))
    if settings["data_directory"]:
        # what ALTER SYSTEM wrote comes last
        settings.update(SETTING.findall(_text(f"{settings['data_directory']}/postgresql.auto.conf")))
    start = re.findall(r"^\s*(\w+)", _text(f"{folder}/start.conf"), re.MULTILINE)
    return {
        "name": "/".join(folder.split("/")[-2:]),
        "port": int(settings["port"]) if settings["port"].isdigit() else 5432,
        "folder": settings["data_directory"],
        "start": start[0] if start else "auto",
    }


def _text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
