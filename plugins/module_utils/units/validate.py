"""Candidates: files are validated by the program that reads them before they replace anything."""

import os
import re
import shutil
import subprocess
import tempfile

from ansible_collections.cistern.core.plugins.module_utils.host.errors import Refused

# In a check's command, the folder below which the candidates lie.
ROOT = "{root}"


def due(checks, changed):
    """Return the checks that are about one of these paths."""
    return [check for check in checks if any(path.startswith(tuple(check["files"])) for path in changed)]


def validate(checks, wanted, may_be_missing):
    """Validate the wanted files by their programs, laid out below a folder of root's as they will lie on the host.

    A program that is not installed yet is passed over where it `may_be_missing`. Raises Refused.
    """
    for check in checks:
        if may_be_missing and not shutil.which(check["command"][0]):
            continue
        root = tempfile.mkdtemp(prefix="cistern-candidate-")
        try:
            for file in wanted:
                if file["path"].startswith(tuple(check["files"])) and not file["absent"]:
                    _lay(root + file["path"], file["content"])
            _run([word.replace(ROOT, root) for word in check["command"]], root)
        finally:
            shutil.rmtree(root)


def _lay(path, content):
    os.makedirs(os.path.dirname(path) if content is not None else path, exist_ok=True)
    if content is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)


def _run(command, root):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Refused(f"{command[0]} is not installed") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "SUCCESS" not in line]
        # what a parser quotes may be a secret
        message = re.sub(r"`[^`]*`|\"[^\"]*\"", "(hidden)", " ".join(filter(None, lines)).replace(root, ""))
        raise Refused(f"{' '.join(command[:-1])} says: {message}")
