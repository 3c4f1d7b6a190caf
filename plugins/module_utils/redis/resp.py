"""A client of Redis and Sentinel that needs nothing but Python; it packs hundreds of thousands of commands a second.

redis-py takes several times as long for a command, and 0.12 s of a host to be imported. The protocol: RESP2, as
https://redis.io/docs/latest/develop/reference/protocol-spec/ has it.
"""

import select
import socket
import time

NEXT = b"\r\n"
# Much more than a reply to a batch: one call fetches most of it.
RECEIVED = 1 << 18
# Less than any `timeout` of a server that makes sense, in seconds.
IDLE = 5


class Refused(Exception):
    """An answer of the server that is an error."""


class Connection:
    """A connection; ConnectionError, or an OSError such as a timeout, says that it is gone.

    It is closed then: an answer that comes later would be taken for that to another command. With `path` it goes to a
    socket of the machine; `seconds` are what a single wait may last, `connect_seconds` that for the connection.
    """

    def __init__(self, host=None, port=0, user=None, password=None, seconds=10, path=None, connect_seconds=None):
        self._endpoint, self._seconds, self._path = (host, int(port)), seconds, path
        self._connect_seconds = connect_seconds or seconds
        self._login = [*([user] if user else []), password] if password else []
        self._connect()

    def _connect(self):
        self._socket = self._opened()
        self._rest, self._used = b"", time.monotonic()
        if self._login:
            self.call("AUTH", *self._login)

    def _opened(self):
        if self._path:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(self._seconds)
            connection.connect(self._path)
            return connection
        connection = socket.create_connection(self._endpoint, timeout=self._connect_seconds)
        if self._connect_seconds != self._seconds:
            connection.settimeout(self._seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def ended(self):
        """Whether the server has ended it, as far as that is known here. No answer may be on the wire."""
        readable = select.poll()
        readable.register(self._socket, select.POLLIN)
        return bool(readable.poll(0))

    def idle(self):
        """Whether it has been idle long enough for a server to close it."""
        return time.monotonic() - self._used >= IDLE

    def revived(self):
        """Connect anew if the server has closed it; return whether it had. No answer may be on the wire."""
        try:
            self.call("PING")
        except Refused:
            # it answers, such as one that cannot write its data
            return False
        except OSError:
            self.close()
            self._connect()
            return True
        return False

    def send(self, packed):
        """Send packed commands."""
        try:
            self._socket.sendall(packed)
        except OSError:
            self.close()
            raise

    def lines(self, count):
        """Return the replies to so many commands whose replies are one line each, such as b'+OK' or b':1'."""
        pieces, missing = [self._rest], count - self._rest.count(NEXT)
        while missing > 0:
            piece = self._received()
            # a line end may be cut in two
            missing -= piece.count(NEXT) + (pieces[-1][-1:] == b"\r" and piece[:1] == b"\n")
            pieces.append(piece)
        found = b"".join(pieces).split(NEXT, count)
        self._rest = found.pop()
        return found

    def call(self, *words):
        """Return the reply to one command: bytes, a number, None or a list. Raises Refused."""
        self.send(packed(*words))
        reply = self._reply()
        if isinstance(reply, Refused):
            raise reply
        return reply

    def info(self, section):
        """Return a section of INFO as {name: text}."""
        text = self.call("INFO", section).decode(errors="replace")
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def primary(self):
        """Whether the server calls itself a primary."""
        return self.call("ROLE")[0] == b"master"

    def _received(self):
        try:
            piece = self._socket.recv(RECEIVED)
            if not piece:
                raise ConnectionError("the server closed the connection")
        except OSError:
            self.close()
            raise
        self._used = time.monotonic()
        return piece

    def _line(self):
        while NEXT not in self._rest:
            self._rest += self._received()
        line, _sep, self._rest = self._rest.partition(NEXT)
        return line

    def _reply(self):
        line = self._line()
        kind, text = line[:1], line[1:]
        if kind == b"-":
            return Refused(text.decode(errors="replace"))
        if kind == b":":
            return int(text)
        if kind == b"+":
            return text
        if kind == b"*":
            return [self._reply() for _each in range(int(text))] if int(text) >= 0 else None
        if kind != b"$":
            raise ConnectionError("what answers is no Redis")
        size = int(text)
        if size < 0:
            return None
        while len(self._rest) < size + 2:
            self._rest += self._received()
        found, self._rest = self._rest[:size], self._rest[size + 2 :]
        return found


def text_of(reply, errors="replace"):
    """Return a reply with texts in place of bytes."""
    if isinstance(reply, list):
        return [text_of(each, errors) for each in reply]
    return reply.decode(errors=errors) if isinstance(reply, bytes) else reply


def packed(*words):
    """Return a command as the server takes it; a text may hold bytes that are no UTF-8, as the system's names do."""
    parts = [word if isinstance(word, bytes) else str(word).encode(errors="surrogateescape") for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
