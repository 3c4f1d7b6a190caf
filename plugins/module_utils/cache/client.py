"""A connection to the server of this machine, for programs that run beside it."""

import inspect
import sys

from ..host.endpoint import connectable

try:
    import redis
except ImportError:  # nothing of the toolkit has been installed there
    redis = None  # type: ignore[assignment]

MISSING = (
    f"{sys.executable} of this host has no redis-py; playbooks/cache.yml installs python3-redis for /usr/bin/python3, "
    "which ansible_python_interpreter has to name"
)


def connect(addresses, port, password, username=None, db=0, seconds=10):
    """Return a client of the server that listens on one of these addresses; answers are bytes.

    Raises redis.ConnectionError where none answers, redis.AuthenticationError or redis.ResponseError where it refuses.
    """
    last = None
    # newer versions of redis-py tell the server who they are, which not every user may
    known = inspect.signature(redis.Redis).parameters
    silent: dict = {name: None for name in ("lib_name", "lib_version") if name in known}
    for address in addresses:
        client = redis.Redis(
            host=connectable(address),
            port=port,
            db=db,
            username=username,
            password=password or None,
            socket_connect_timeout=min(5, seconds),
            socket_timeout=seconds,
            **silent,
        )
        try:
            client.ping()
            return client
        except redis.exceptions.AuthenticationError:
            raise
        except redis.exceptions.ConnectionError as error:
            last = error
    raise redis.ConnectionError(f"nothing answers on {' or '.join(addresses)} port {port}: {last}")
