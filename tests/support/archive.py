"""A signed APT repository on a lab host, with the distribution's Redis under version numbers of our own.

tests/support/archive.py INVENTORY VERSION     builds it, publishes VERSION, fetches the key to lab/.state/archive.asc
"""

import sys

import apt_archive
import instances

REPACK = """
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
rm -r "$work"
"""


def publish(instance, version):
    """Put a version into the repository of a host."""
    instance.run(REPACK.replace("VERSION", version))
    apt_archive.publish(instance, "stable")


def main(inventory, version):
    for instance in instances.read(inventory).values():
        apt_archive.prepare(instance)
        apt_archive.serve(instance)
        publish(instance, version)
        apt_archive.fetch_key(instance, "archive.asc")


if __name__ == "__main__":
    main(*sys.argv[1:])
