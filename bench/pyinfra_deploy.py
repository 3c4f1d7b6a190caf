"""The same Redis by pyinfra, written as its manual shows it: packages, one file, a restart when the file changed."""

from pyinfra import host
from pyinfra.operations import apt, files, systemd

apt.packages(name="Install Redis", packages=["redis-server"], update=True, cache_time=3600, no_recommends=True)
conf = files.template(
    name="Write redis.conf",
    src="redis.conf.j2",
    dest="/etc/redis/redis.conf",
    user="redis",
    group="redis",
    mode="640",
    address=host.data.address,
    maxmemory=host.data.maxmemory,
    password=host.data.password,
)
systemd.service(name="Redis runs", service="redis-server.service", running=True, enabled=True)
systemd.service(
    name="Restart Redis when its file changed", service="redis-server.service", restarted=True, _if=conf.did_change
)
