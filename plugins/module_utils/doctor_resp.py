"""A connection to Redis or Sentinel that needs no library and never waits: a host of the application has none."""

import socket
import time

# An answer takes milliseconds; a server that hangs is a finding, not a reason to wait.
SECONDS = 3


class Refused(Exception):
    """The server answers with an error, in its own words."""


class Connection:
    """One connection; every call ends within the time that is left of it."""

    def __init__(self, address, port, seconds=SECONDS):
        begun = time.monotonic()
        self.until = begun + seconds
        self._socket = socket.create_connection((address, int(port)), timeout=seconds)
        self.connect_ms = (time.monotonic() - begun) * 1000
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def extend(self, seconds=SECONDS):
        """Give the calls that follow so much time."""
        self.until = time.monotonic() + seconds

    def call(self, *words):
        """Return the reply: text, a number, a list, or None. Raises Refused or OSError."""
        parts = [str(word).encode(errors="surrogateescape") for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._left()
        self._socket.sendall(request)
        reply = self._reply()
        if isinstance(reply, Refused):
            raise reply
        return reply

    def ask(self, *words):
        """Return the reply, None where the server refuses: a command may be renamed or unknown to this version."""
        try:
            return self.call(*words)
        except Refused:
            return None

    def _left(self):
        left = self.until - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self._socket.settimeout(left)

    def _more(self):
        self._left()
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data

    def _line(self):
        while b"\r\n" not in self._buffer:
            self._more()
        line, _sep, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _bytes(self, size):
        while len(self._buffer) < size + 2:
            self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size + 2 :]
        return data

    def _reply(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode(errors="replace")
        if kind == b"-":
            return Refused(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if int(rest) < 0 else self._bytes(int(rest)).decode(errors="replace")
        if kind == b"*":
            return None if int(rest) < 0 else [self._reply() for _ in range(int(rest))]
        raise ConnectionError("what answers is no Redis")


def pairs(reply):
    """Return a reply of names and values as a mapping."""
    return dict(zip(reply[::2], reply[1::2])) if reply else {}


def info(text):
    """Return {name: text} of INFO."""
    lines = (line.partition(":") for line in (text or "").splitlines() if line and not line.startswith("#"))
    return {name: value for name, _sep, value in lines}


def login(connection, password):
    """Return how the server takes a password: accepted, refused, not needed, protected, loading; and its words.

    With a password, one that a server without any calls needless is `not needed`: everybody may come in.
    """
    try:
        if password:
            try:
                connection.call("AUTH", password)
            except Refused as error:
                return _refused(error)
        connection.call("PING")
        return "accepted", ""
    except Refused as error:
        return _refused(error)


def _refused(error):
    words = str(error)
    # a server that cannot save refuses PING too, and has taken the password before
    kinds = {
        "DENIED": "protected",
        "LOADING": "loading",
        "MASTERDOWN": "accepted",
        "MISCONF": "accepted",
        "BUSY": "busy",
    }
    known = next((kind for start, kind in kinds.items() if words.startswith(start)), None)
    if known:
        return known, words
    return ("not needed" if "without any password" in words or "no password is set" in words else "refused"), words


def why(error):
    """Return why a connection failed, in a few words."""
    if isinstance(error, socket.timeout):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def ask(found, address, port, passwords, says):
    """Return how one place of a server answers; `found` is what all its places tell together.

    The first that lets us in is asked what it says of itself: `says` takes the connection. The second password is the
    one of the server's own file.
    """
    connects = False
    try:
        with Connection(address, port) as connection:
            connects = True
            way, words = login(connection, passwords[0])
            if not found["login"]:
                found.update(login=way, words=words)
            if way == "loading":
                found.update(answers=True, info={"loading": 1})
            if way == "refused" and passwords[1:] and login(connection, passwords[1])[0] == "accepted":
                way = "accepted"
            if way in ("accepted", "not needed") and not found["answers"]:
                found.update(says(connection), answers=True)
            return {"connects": True, "login": way}
    except (OSError, Refused) as error:
        found["why"] = found["why"] or why(error)
        return {"connects": connects, "why": why(error)}
