"""How the doctor asks Redis or Sentinel: in texts, and never for longer than it has."""

import socket
import time

from ansible_collections.cistern.core.plugins.module_utils.redis import resp
from ansible_collections.cistern.core.plugins.module_utils.redis.resp import Refused

# An answer takes milliseconds; a server that hangs is a finding, not a reason to wait.
SECONDS = 3


class Connection(resp.Connection):
    """One connection; every call ends within the time that is left of it."""

    def __init__(self, address, port, seconds=SECONDS):
        begun = time.monotonic()
        self.until = begun + seconds
        super().__init__(address, port, seconds=seconds)
        self.connect_ms = (time.monotonic() - begun) * 1000

    def extend(self, seconds=SECONDS):
        """Give the calls that follow so much time."""
        self.until = time.monotonic() + seconds

    def call(self, *words):
        """Return the reply: text, a number, a list, or None. Raises Refused or OSError."""
        return resp.text_of(super().call(*words))

    def query(self, *words):
        """Return the reply, None where the server refuses: a command may be renamed or unknown to this version."""
        try:
            return self.call(*words)
        except Refused:
            return None

    def send(self, packed):
        self._limit()
        super().send(packed)

    def _received(self):
        self._limit()
        return super()._received()

    def _limit(self):
        left = self.until - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self._socket.settimeout(left)


def pairs(reply):
    """Return a reply of names and values as a mapping."""
    return dict(zip(reply[::2], reply[1::2])) if reply else {}


def info(text):
    """Return {name: text} of INFO."""
    lines = (line.partition(":") for line in (text or "").splitlines() if line and not line.startswith("#"))
    return {name: value for name, _sep, value in lines}


def login(connection: Connection, password):
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


def observe(found, address, port, passwords, read):
    """Return how one endpoint of a server answers; `found` is what all its endpoints report together.

    The first that lets us in is observed: `read` takes the connection. The second password is the
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
                found.update(read(connection), answers=True)
            return {"connects": True, "login": way}
    except (OSError, Refused) as error:
        found["why"] = found["why"] or why(error)
        return {"connects": connects, "why": why(error)}
