"""One step about a unit or one of its files."""

import os
import subprocess

from ansible_collections.cistern.core.plugins.module_utils.host import files, folders, systemd
from ansible_collections.cistern.core.plugins.module_utils.units import readiness
from ansible_collections.cistern.core.plugins.module_utils.units.contract import Step
from ansible_collections.cistern.core.plugins.module_utils.units.observe import STAMPS


def apply(step: Step):
    """Take one step. Raises RuntimeError with what a program says."""
    try:
        _apply(step)
    except (KeyError, subprocess.CalledProcessError) as error:
        raise RuntimeError(getattr(error, "stderr", "") or str(error)) from error


def _apply(step: Step):
    if step["do"] == "write":
        files.write(step["file"])
    elif step["do"] == "keep":
        os.rename(step["path"], step["to"])
    elif step["do"] == "remove":
        os.unlink(step["path"])
    elif step["do"] == "users":
        subprocess.run(["systemd-sysusers"], check=True, capture_output=True, text=True)
    elif step["do"] == "reload":
        systemd.do("daemon-reload")
    elif step["do"] == "stop":
        systemd.do("disable", "--now", step["unit"])
    elif step["do"] == "reload unit":
        folders.make(STAMPS)
        systemd.do("reload", step["unit"])
        with open(os.path.join(STAMPS, step["unit"]), "w", encoding="utf-8"):
            pass
    elif step["do"] == "wait":
        readiness.wait(step["unit"], step["for"])
    else:
        systemd.do(step["do"], step["unit"])
