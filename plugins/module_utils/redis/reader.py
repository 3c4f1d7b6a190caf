"""A client that reads, for a host that has a server and no redis-py: a first check run has to tell the truth there too.

It has the calls of redis.Redis that observation makes, and answers them alike. What changes a server needs the library,
which a run installs before.
"""

import re

from ansible_collections.cistern.core.plugins.module_utils.redis import resp

SECONDS = 60
# Set by a module that only looks, before it imports more: to import redis-py costs a host 0.12 s, more than to ask.
alone = False


class Reader:
    """A connection that its first command opens. What the server refuses is a RuntimeError, what is gone an OSError."""

    def __init__(self, **where):
        self._where = where
        self._connection = None

    def execute_command(self, *words):
        """Return the reply with texts in place of bytes."""
        try:
            if self._connection is None:
                self._connection = self._opened()
            return resp.text_of(self._connection.call(*words), "surrogateescape")
        except resp.Refused as error:
            raise RuntimeError(str(error)) from error

    def info(self, section=None):
        """Return INFO as {name: text, number, or a mapping of a line such as keys=1,expires=0}."""
        reply = self.execute_command("INFO", *([section] if section else []))
        lines = (line.partition(":") for line in reply.splitlines() if line and not line.startswith("#"))
        return {name: _value(text) for name, _sep, text in lines}

    def close(self):
        if self._connection is not None:
            self._connection.close()

    def _opened(self):
        where = self._where
        return resp.Connection(
            where.get("host"),
            where.get("port", 0),
            where.get("username"),
            where.get("password"),
            seconds=where.get("socket_timeout") or SECONDS,
            path=where.get("unix_socket_path"),
        )


def _value(text):
    parts = [part.partition("=") for part in text.split(",")]
    if all(sep for _name, sep, _value in parts):
        return {name: _number(value) for name, _sep, value in parts}
    return _number(text)


def _number(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else text
