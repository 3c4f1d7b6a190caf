"""A signed APT repository on a lab host, with the distribution's Redis under version numbers of our own.

tests/effects/archive.py INVENTORY VERSION     builds it, publishes VERSION, fetches the key to lab/.state/archive.asc
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import instances  # noqa: E402 - the line above makes it found

TOOLS = """
set -eu
export DEBIAN_FRONTEND=noninteractive
command -v apt-ftparchive gpg > /dev/null || {
    apt-get update -q
    apt-get install -qy --no-install-recommends apt-utils gnupg
}
mkdir -p /srv/archive/pool
# a name and version of its own for everything, so that only this repository can have delivered it
[ -e /root/archive.gpg ] || {
    gpg --batch --passphrase '' --quick-generate-key archive@example.com default default never
    gpg --armor --export archive@example.com > /root/archive.gpg
}
systemctl is-active --quiet archive ||
    systemd-run --unit archive --working-directory /srv python3 -m http.server --bind 127.0.0.1 8099
"""

PUBLISH = """
set -eu
work=$(mktemp -d)
cd "$work"
for package in redis-server redis-tools; do
    ls /var/cache/apt/archives/${package}_*.deb > /dev/null 2>&1 || apt-get download -q $package
    deb=$(ls /var/cache/apt/archives/${package}_*.deb ./${package}_*.deb 2> /dev/null | head -1)
    dpkg-deb --raw-extract "$deb" $package
    version=5:VERSION-1archive
    sed -i "s/^Version: .*/Version: $version/; s/\\(redis-tools (= \\)[^)]*/\\1$version/" $package/DEBIAN/control
    # the program differs as well, as another build's would: a few bytes after its end
    [ $package != redis-tools ] || echo VERSION >> $package/usr/bin/redis-check-rdb
    dpkg-deb --root-owner-group --build $package /srv/archive/pool/${package}_VERSION-1archive.deb > /dev/null
done
cd /srv
mkdir -p archive/dists/stable/main/binary-amd64
lists=archive/dists/stable/main/binary-amd64
apt-ftparchive packages archive/pool | sed 's#^Filename: archive/#Filename: #' > $lists/Packages
cd archive/dists/stable
apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Components=main \
    -o APT::FTPArchive::Release::Architectures=amd64 release . > /root/Release
mv /root/Release Release
gpg --batch --yes --clearsign --output InRelease Release
rm -r "$work"
"""


def publish(instance, version):
    """Put a version into the repository of a host."""
    instance.run(PUBLISH.replace("VERSION", version))


def main(inventory, version):
    for instance in instances.read(inventory).values():
        instance.run(TOOLS)
        publish(instance, version)
        key = instances.ROOT / "lab/.state/archive.asc"
        key.write_text(instance.run("cat /root/archive.gpg") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
