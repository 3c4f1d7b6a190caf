"""Serve Citus to the lab: a signed APT repository on the host of the inventory's group `archive`, for all its hosts.

tests/citus_standin/publish.py INVENTORY [VERSION ...]      the stand-in, all its versions when none is named

The packages are built once, on that host, and kept in lab/.state, where the key goes too, one a network. With
CITUS_TEST_APT_URI=file:///PATH nothing is built: the packages of that repository, of the real Citus, are copied to the
host, signed with its own key, and served at the same address.
"""

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import apt_archive  # noqa: E402 - the line above makes it found
import build  # noqa: E402
import instances  # noqa: E402

SUITE = "bookworm"
STATE = instances.ROOT / "lab/.state"
BUILD = """
set -eu
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
tar -x
mkdir output
python3 build.py extension output >&2
tar -C output -c .
"""


def packed(paths, folder):
    """A tar file of some paths, named from a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in paths:
            tar.add(path, path.relative_to(folder))
    return buffer.getvalue()


def sources():
    return [HERE / "build.py", *sorted(path for path in (HERE / "extension").rglob("*") if path.is_file())]


def packages(instance):
    """Return the folder of the built packages; a change of a source makes a new one, built once."""
    digest = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in sources())).hexdigest()[:12]
    folder = STATE / "citus-standin" / digest
    with open(STATE / "citus-standin.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            built = apt_archive.pipe(instance, BUILD, packed(sources(), HERE))
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            # by tar itself: tarfile has its safe filter from Python 3.11.4 on, and Debian 12 has 3.11.2
            subprocess.run(["tar", "--extract", "--directory", unfinished], input=built, check=True)
            unfinished.rename(folder)
    return folder


def key(instance):
    """Return the file of the archive's key: the archive of each network has its own."""
    return f"citus-archive-{instance.vars['lab_network']}.asc"


def publish(instance, versions=()):
    """Put versions of the stand-in into the repository, beside those that are there."""
    unknown = set(versions) - set(build.RELEASES)
    if unknown:
        raise SystemExit(f"the stand-in has no version {min(unknown)}, only {', '.join(build.RELEASES)}")
    folder = packages(instance)
    wanted = [path for version in versions or build.RELEASES for path in folder.glob(f"*_{version}.citus-1_*.deb")]
    apt_archive.pipe(instance, f"tar -C {apt_archive.POOL} -x", packed(wanted, folder))
    apt_archive.publish(instance, SUITE)
    apt_archive.fetch_key(instance, key(instance))


def mirror(instance, uri, versions=()):
    """Put versions of the real Citus into the repository: packages of a repository of this machine, signed anew."""
    scheme, _, path = uri.partition("://")
    if scheme != "file" or not Path(path).is_dir():
        raise SystemExit(f"CITUS_TEST_APT_URI is {uri}: it has to be file:// and the path of a repository's folder")
    for version in versions or ("*",):
        found = sorted(Path(path).rglob(f"*-citus-*_{version}.citus-*.deb"))
        if not found:
            raise SystemExit(f"CITUS_TEST_APT_URI is {uri}: there is no Citus {version}")
        for deb in found:
            apt_archive.pipe(instance, f"tar -C {apt_archive.POOL} -x", packed([deb], deb.parent))
    apt_archive.publish(instance, SUITE)
    apt_archive.fetch_key(instance, key(instance))


def offer(instance, *versions):
    """Put versions into the repository, of the stand-in or of what CITUS_TEST_APT_URI says."""
    uri = os.environ.get("CITUS_TEST_APT_URI")
    if uri:
        mirror(instance, uri, versions)
    else:
        publish(instance, versions)


def main(inventory, *versions):
    hosts = apt_archive.hosts(inventory, "archive")
    if not hosts:
        raise SystemExit(f"{inventory} has no host in its group archive")
    for instance in hosts:
        apt_archive.prepare(instance)
        offer(instance, *versions)
        apt_archive.serve(instance, "0.0.0.0")


if __name__ == "__main__":
    main(*sys.argv[1:])
