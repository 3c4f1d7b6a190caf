"""A PostgreSQL server as an application reaches it: TLS, certificate, a login with SCRAM. Needs no library."""

import base64
import calendar
import hashlib
import hmac
import os
import socket
import ssl
import struct
import time
from urllib.parse import parse_qs, unquote, urlsplit

from ansible_collections.cistern.core.plugins.module_utils.doctor.resp import SECONDS, why

SSL_REQUEST, PROTOCOL = struct.pack("!ii", 8, 80877103), 196608


class Refused(Exception):
    """The server answers with an error, in its own words."""


def observe(url):
    """Return {place, connects, tls, ends, login} of a DATABASE_URL, with why where one of them fails."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        endpoint = (parts.hostname or "", parts.port or 5432)
    except ValueError:
        return {"endpoint": "", "connects": False, "why": "DATABASE_URL has no address"}
    found = {"endpoint": f"{endpoint[0]} {endpoint[1]}", "connects": False, "tls": "", "ends": None, "login": ""}
    try:
        begun = time.monotonic()
        with socket.create_connection(endpoint, timeout=SECONDS) as plain:
            found.update(connects=True, ms=round((time.monotonic() - begun) * 1000, 2))
            with _secured(plain, endpoint[0], options) as stream:
                found.update(tls="verified", ends=_ends(stream, options))
                _login(stream, parts)
                found["login"] = "accepted"
    except ssl.SSLError as error:
        found.update(tls="refused", why=getattr(error, "verify_message", "") or str(error))
    except Refused as error:
        found.update(login="refused", why=str(error))
    except (OSError, ValueError, struct.error) as error:
        found["why"] = why(error)
    return found


def _secured(plain, host, options):
    """Return the connection under TLS, its server verified as the URL asks for."""
    plain.sendall(SSL_REQUEST)
    if plain.recv(1) != b"S":
        raise Refused("the server takes no TLS")
    mode = options.get("sslmode", "prefer")
    context = ssl.create_default_context()
    if mode.startswith("verify"):
        context.load_verify_locations(options.get("sslrootcert", ""))
    context.check_hostname = mode == "verify-full"
    if not mode.startswith("verify"):
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)


def _ends(stream, options):
    """Return when the server's certificate ends, in seconds since the epoch; unverified ones are not told by ssl."""
    certificate = stream.getpeercert() if options.get("sslmode", "").startswith("verify") else None
    return calendar.timegm(time.strptime(certificate["notAfter"], "%b %d %H:%M:%S %Y GMT")) if certificate else None


def _login(stream, parts):
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    words = ["user", user, "database", unquote(parts.path.lstrip("/")) or user, "application_name", "cistern doctor"]
    body = struct.pack("!i", PROTOCOL) + b"".join(word.encode() + b"\0" for word in words) + b"\0"
    stream.sendall(struct.pack("!i", len(body) + 4) + body)
    exchange = _Scram(password)
    while True:
        kind, body = _message(stream)
        code = struct.unpack("!i", body[:4])[0] if kind == b"R" else None
        if kind == b"E":
            raise Refused(_error(body))
        if kind == b"Z":
            stream.sendall(b"X" + struct.pack("!i", 4))
            return
        if code == 10:
            first = exchange.first()
            _send(stream, b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
        elif code == 11:
            _send(stream, exchange.final(body[4:].decode()))
        elif code not in (None, 0, 12):
            raise Refused("the server asks for another way to log in than SCRAM-SHA-256")


def _message(stream):
    head = _exactly(stream, 5)
    return head[:1], _exactly(stream, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(stream, size):
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise ConnectionError("the server closed the connection")
        data += more
    return data


def _send(stream, body):
    stream.sendall(b"p" + struct.pack("!i", len(body) + 4) + body)


def _error(body):
    """Return the message of an error; the server never tells a password."""
    parts = {part[:1]: part[1:] for part in body.decode(errors="replace").split("\0") if part}
    return parts.get("M", "the server refuses")


class _Scram:
    """The client's part of SCRAM-SHA-256 (RFC 7677), without channel binding."""

    def __init__(self, password):
        self._password = password.encode()
        self._bare = "n=,r=" + base64.b64encode(os.urandom(18)).decode()

    def first(self):
        return b"n,," + self._bare.encode()

    def final(self, challenge):
        challenge_parts = dict(part.split("=", 1) for part in challenge.split(","))
        if not challenge_parts["r"].startswith(self._bare.split("r=", 1)[1]):
            raise Refused("the server answers another login")
        salted = hashlib.pbkdf2_hmac(
            "sha256", self._password, base64.b64decode(challenge_parts["s"]), int(challenge_parts["i"])
        )
        key = hmac.digest(salted, b"Client Key", "sha256")
        bare = f"c=biws,r={challenge_parts['r']}"
        signed = hmac.digest(hashlib.sha256(key).digest(), f"{self._bare},{challenge},{bare}".encode(), "sha256")
        proof = bytes(one ^ other for one, other in zip(key, signed))
        return f"{bare},p={base64.b64encode(proof).decode()}".encode()
