"""What a server keeps of a password, and which port it runs with."""

import base64
import hashlib
import hmac

import pytest
from ansible_collections.cistern.core.plugins.module_utils.citus.server.observe import fits, port_on_disk

PASSWORD = r'throw-away#1\of$molecule {für} "dich"'
# What PostgreSQL 15.18 made of it.
VERIFIER = (
    "SCRAM-SHA-256$4096:vHdMDeDWurtpyTbzi4Z9qQ==$EscqI/+DEQYu7sYrHjOVkgL6txiGg5TAyl3bR6Evow0=:"
    "2kDXGIraJcCODOJAdRnHi6EediMCixhZqyij+vZKhlU="
)
# A password that SASLprep (RFC 4013) changes, and what the same server made of it.
SPECIAL = "a\u00a0b\u2168 \u00ad16 letters"
SPECIAL_VERIFIER = (
    "SCRAM-SHA-256$4096:tW1AXKY3SlKN60MV4qKfeQ==$3Jk1hfI/sF+cvXhJj3igD0GG2bRwnveLl1QbUOmRoV4=:"
    "gH5pgbTfo5PgrIXwOmASr1QaLQONLldi1TuOi4mfIA4="
)


def salted(password, salt, iterations):
    """Hi() of RFC 5802, written out."""
    block = last = hmac.digest(password, salt + b"\0\0\0\1", "sha256")
    for _turn in range(iterations - 1):
        last = hmac.digest(password, last, "sha256")
        block = bytes(one ^ other for one, other in zip(block, last))
    return block


def verifier(password, salt, iterations):
    """What RFC 5803 says: scheme, iterations, salt, the hash of the client's key, the server's key."""
    secret = salted(password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(secret, b"Client Key", "sha256")).digest()
    parts = [base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(secret, b"Server Key", "sha256"))]
    return f"SCRAM-SHA-256${iterations}:{parts[0]}${parts[1]}:{parts[2]}"


@pytest.mark.parametrize("iterations", [1, 2, 4096])
@pytest.mark.parametrize("password", ["pencil", PASSWORD, "a" * 200, "16 letters: öäüß", " blanks "])
def test_a_password_is_known_by_its_verifier(password, iterations):
    made = verifier(password, b"sixteen bytes ..", iterations)
    assert fits(password, made)
    assert not fits(f"{password} ", made)


def test_a_verifier_of_a_server_is_understood():
    assert fits(PASSWORD, VERIFIER)
    assert not fits(PASSWORD.replace("dich", "mich"), VERIFIER)


def test_a_password_is_prepared_as_the_server_prepares_it():
    assert fits(SPECIAL, SPECIAL_VERIFIER)


@pytest.mark.parametrize(
    "kept", [None, "", "md5a6343a68d964ca596d9752250d54bb8a", "pencil", "SCRAM-SHA-256$4096:", VERIFIER.split(":")[0]]
)
def test_anything_else_is_another_password(kept):
    assert not fits("pencil", kept)


@pytest.mark.parametrize(
    ("pid_file", "conf", "port"),
    [
        (None, None, 5432),
        (None, "# port = 1\nport = 6432\n", 6432),
        # a port that changes: the server runs with the one of its start
        ("7\n/data\n1\n5499\n/run\n", "port = 6432\n", 5499),
        ("7\n", "port = 6432\n", 6432),
    ],
)
def test_a_server_is_reached_at_the_port_it_runs_with(tmp_path, pid_file, conf, port):
    if pid_file:
        (tmp_path / "postmaster.pid").write_text(pid_file, encoding="utf-8")
    want = {"data_dir": str(tmp_path), "conf": {"path": "/c"}, "port": 5432}
    assert port_on_disk(want, {"files": {"/c": conf and {"text": conf}}}) == port
