#!/usr/bin/python
"""Ask repositories whether they hold what is wanted, before a machine gets to know them."""

import os
import re
import shutil
import subprocess
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

DOCUMENTATION = r"""
module: apt_candidates
short_description: Ask repositories whether they hold what is wanted, before a machine gets to know them
description:
  - Reads their lists into a folder of its own, with their keys, and looks for packages there. The machine stays as it
    is.
  - Packages that none of the sources has are looked for in the machine's own lists, too.
  - Fails with what the repository offers instead, or with what is wrong with its key.
author: Cistern (@cistern)
version_added: 0.1.0
options:
  sources:
    description:
      - The repositories, each with C(name), C(uri), C(suite), C(components), C(key_path), where its key will lie on the
        host, and C(key_content) or C(key_url).
    type: list
    elements: dict
    required: true
  packages:
    description: What is wanted.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: The package., type: str, required: true}
      version: {description: "How its version has to begin; any, where it is empty.", type: str, default: ''}
      like: {description: How names begin that are told where there is no such package., type: str, required: true}
"""
EXAMPLES = r"""
- name: Look whether the repository has what is wanted
  cistern.core.apt_candidates:
    sources: "{{ __citus_sources }}"
    packages: [{name: postgresql-15-citus-13.2, version: 13.2.1, like: postgresql-15-citus}]
"""
RETURN = r"""
install: {description: "The packages with their newest fitting versions.", type: list, returned: always}
steps: {description: What is to be installed., type: list, returned: always}
key_files: {description: "The keys, as files to be written.", type: list, returned: always}
"""

SPEC = {
    "sources": {"type": "list", "elements": "dict", "required": True},
    "packages": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "version": {"type": "str", "default": ""},
            "like": {"type": "str", "required": True},
        },
    },
}
# What apt says of a repository whose key is another one.
UNSIGNED = re.compile("NO_PUBKEY|not signed|BADSIG|EXPKEYSIG|REVKEYSIG|no keyring|unsupported")
KEY = {"owner": "root", "group": "root", "mode": "0644"}


class Missing(Exception):
    """What a repository lacks; says what it has."""


def key_of(source):
    """Return the text of a key."""
    if source.get("key_content"):
        return source["key_content"]
    try:
        return open_url(source["key_url"], timeout=30).read().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise Missing(f"the key {source['key_url']} of {source['uri']} cannot be fetched: {error}") from error


def read_lists(folder, sources, keys):
    """Let apt read the lists of the sources into a folder; returns the options that make it look there."""
    for name in ("parts", "lists/partial", "cache/archives/partial"):
        os.makedirs(f"{folder}/{name}")
    text = []
    for source in sources:
        key = f"{folder}/{source['name']}.asc"
        with open(key, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(keys[source["name"]])
        text.append(
            f"Types: deb\nURIs: {source['uri']}\nSuites: {source['suite']}\n"
            f"Components: {' '.join(source['components'])}\nSigned-By: {key}\n"
        )
    with open(f"{folder}/parts/wanted.sources", "w", encoding="utf-8") as file:
        file.write("\n".join(text))
    # apt reads as a user of its own
    for path, _folders, names in os.walk(folder):
        os.chmod(path, 0o755)
        for name in names:
            os.chmod(f"{path}/{name}", 0o644)
    shutil.chown(f"{folder}/lists/partial", "_apt")
    options = [
        *["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={folder}/parts"],
        *["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache"],
    ]
    done = apt("apt-get", *options, "-o", "Acquire::Retries=1", "--error-on=any", "update")
    if done.returncode:
        raise Missing(complaint(done.stderr, sources))
    return options


def apt(*words):
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment)


def complaint(output, sources):
    """Return what apt says, as a sentence that names the repository."""
    lines = [line[3:] for line in output.splitlines() if line.startswith(("E: ", "W: "))]
    for source in sources:
        about = [line for line in lines if source["uri"].rstrip("/") in line]
        if any(UNSIGNED.search(each) for each in about):
            key = source.get("key_url") or source["key"]
            return f"the repository {source['uri']} is not signed by {key}: write the key that signs it ({about[0]})"
        if about:
            return f"the repository {source['uri']}, suite {source['suite']}, cannot be read: {about[0]}"
    return "; ".join(lines) or output.strip()


def versions(options, name):
    """Return the versions of a package, the newest first."""
    shown = apt("apt-cache", *options, "madison", name).stdout
    return list(dict.fromkeys(line.split("|")[1].strip() for line in shown.splitlines()))


def chosen(options, package, sources):
    """Return a package with the version that apt is to install."""
    name, prefix = package["name"], package["version"]
    found = versions(options, name) or versions([], name)
    fits = [each for each in found if re.match(rf"{re.escape(prefix)}(\D|$)", each)] if prefix else found
    if fits:
        return f"{name}={fits[0]}"
    where = " and ".join(f"{source['uri']} ({source['suite']})" for source in sources)
    if found:
        raise Missing(f"{where} has no {name} of version {prefix}; it has {', '.join(found)}")
    known = apt("apt-cache", *options, "pkgnames", package["like"]).stdout.split()
    names = sorted(each for each in known if re.fullmatch(rf"{re.escape(package['like'])}[\d.-]*", each))
    raise Missing(f"{where} has no {name}; it has {', '.join(names) or 'nothing like it'}")


def main():
    os.umask(0o022)  # the session's may keep services from what is made for them
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    sources = module.params["sources"]
    folder = tempfile.mkdtemp(prefix="cistern-apt-")
    try:
        keys = {source["name"]: key_of(source) for source in sources}
        options = read_lists(folder, sources, keys)
        install = [chosen(options, package, sources) for package in module.params["packages"]]
    except Missing as error:
        module.fail_json(msg=f"Nothing was changed: {error}.")
    finally:
        shutil.rmtree(folder)
    files = [{"path": source["key_path"], "content": keys[source["name"]], **KEY} for source in sources]
    has = apt("dpkg-query", "--show", "--showformat", "${Package}=${Version}\n").stdout.split()
    steps = [f"install {each.replace('=', ' ')}" for each in install if each not in has]
    module.exit_json(changed=False, install=install, key_files=files, steps=steps)


if __name__ == "__main__":
    main()
