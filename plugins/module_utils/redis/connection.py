"""A connection of a module to Redis or Sentinel: texts for replies, and it is opened again where it was lost."""

import contextlib
import re
import typing

from ansible_collections.cistern.core.plugins.module_utils.redis import resp

# Seconds that a call may take: a fork, or a disk that is behind.
PATIENCE = 120
CONNECT_PATIENCE = 5
# Commands that change nothing, by their first words: where an answer was lost, they are sent again.
READS = {
    *("INFO", "PING", "ROLE", "COMMAND", "COMMAND LIST", "CONFIG GET", "ACL LIST", "ACL GETUSER", "MODULE LIST"),
    *("SLOWLOG GET", "SLOWLOG LEN", "LATENCY LATEST", "LATENCY DOCTOR", "SENTINEL CONFIG GET"),
    *(f"SENTINEL {name}" for name in ("CKQUORUM", "MASTER", "MASTERS", "REPLICAS", "SENTINELS")),
}


class RedisError(RuntimeError):
    """An answer of the server that is an error."""


class Client:
    """A connection that its first command opens, and the next one after it was lost. What the server refuses is a
    RedisError, what is gone an OSError.

    Sentinel ends all connections of a server whose part it changes (CLIENT KILL TYPE normal, sentinel.c),
    and a run may be waiting for just that: each command looks first, and a question is asked once more.

    It needs no library, so that a host gets none for it and none is missing from the Python that a module runs on.
    """

    def __init__(self, host=None, port=0, username=None, password=None, **more):
        """`more` are `socket`, the path of one of this machine, `seconds` of a call and `connect_seconds`."""
        self._where = {"host": host, "port": port, "user": username, "password": password, "path": more.get("socket")}
        self._seconds = {
            "seconds": more.get("seconds", PATIENCE),
            "connect_seconds": more.get("connect_seconds", CONNECT_PATIENCE),
        }
        self._connection: typing.Any = None
        self._in_transaction = False

    def execute_command(self, *words):
        """Return the reply with texts in place of bytes: a text, a number, None or a list."""
        with self._translated():
            connection = self._open()
            try:
                return _text_of(connection.call(*words))
            except ConnectionError:
                self.close()
                if self._in_transaction or not _reads(words):
                    raise
            return _text_of(self._open().call(*words))

    @contextlib.contextmanager
    def _translated(self):
        try:
            yield
        except resp.Refused as error:
            raise RedisError(str(error).removeprefix("ERR ")) from error
        except OSError:
            self.close()
            raise

    def together(self, *commands):
        """Run commands as one: all of them or, where we are killed, none. Raises what the first bad one is told."""
        self.execute_command("MULTI")
        self._in_transaction = True
        try:
            for words in [*commands, ("EXEC",)]:
                answers = self.execute_command(*words)
        except RedisError:
            # it would wait for the rest
            self.close()
            raise
        finally:
            self._in_transaction = False
        for answer in answers:
            if isinstance(answer, resp.Refused):
                raise RedisError(str(answer).removeprefix("ERR "))

    def info(self, section=None):
        """Return INFO as {name: text, number, or a mapping of a line such as keys=1,expires=0}."""
        reply = self.execute_command("INFO", *([section] if section else []))
        lines = (line.partition(":") for line in reply.splitlines() if line and not line.startswith("#"))
        return {name: _value(text) for name, _sep, text in lines}

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self):
        if self._in_transaction:
            return self._connection
        if self._connection is not None and self._connection.ended():
            self.close()
        if self._connection is None:
            self._connection = resp.Connection(**self._where, **self._seconds)
        elif self._connection.idle():
            # a server may close one that was silent
            self._connection.revived()
        return self._connection


def _text_of(reply):
    return resp.text_of(reply, "surrogateescape")


def _reads(words):
    return any(" ".join(map(str, words[:count])).upper() in READS for count in (1, 2, 3))


def pairs(reply):
    """Return a reply of names and values as a mapping."""
    return dict(zip(reply[::2], reply[1::2]))


def _value(text):
    parts = [part.partition("=") for part in text.split(",")]
    if len(parts) > 1 and all(sep for _name, sep, _value in parts):
        return {name: _number(value) for name, _sep, value in parts}
    return _number(text)


def _number(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else text
