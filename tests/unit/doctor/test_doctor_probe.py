"""What the doctor's probe reads: an .env as an application does, replies, logs without secrets."""

import io
import socket
import threading
import time

import dotenv
import pytest
from ansible_collections.cistern.core.plugins.module_utils.doctor import application as doctor_app
from ansible_collections.cistern.core.plugins.module_utils.doctor import dotenv as doctor_dotenv
from ansible_collections.cistern.core.plugins.module_utils.doctor import machine as doctor_machine
from ansible_collections.cistern.core.plugins.module_utils.doctor import postgres as doctor_postgres
from ansible_collections.cistern.core.plugins.module_utils.doctor import resp as doctor_resp
from ansible_collections.cistern.core.plugins.module_utils.host import logs
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv as env
from env_values import VALUES

# -- .env


def read_by_dotenv(text):
    return {key: value for key, value in dotenv.dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def test_what_is_written_is_read_back():
    read, wrong = doctor_dotenv.read("\n".join(["# a comment", *env.lines(VALUES), ""]))
    assert wrong == []
    assert {key: read[key] for key in VALUES} == {key: env.as_text(value) for key, value in VALUES.items()}


@pytest.mark.parametrize(
    "text",
    [
        "A=b\n",
        "export A = b  # not this\nB=c#this",
        "A='it is'\nB=\"${A} so\"\n\n# C=d\nD=${Z:-none}${A}",
        'A="two\\nlines"\nB="say \\"x\\""',
        "A='single \\' and \\n'",
        "A=\nB= \nC='x' # y",
        "A=redis://h:6379/0\r\nB=2\r\n",
    ],
)
def test_files_by_hand_are_read_as_python_dotenv_does(text):
    assert doctor_dotenv.read(text) == (read_by_dotenv(text), [])


@pytest.mark.parametrize(("text", "wrong"), [("A=1\nnonsense\nB=2", [2]), ("A='open\nB=2", [1]), ("A='x' y\n", [1])])
def test_lines_that_are_none_are_told(text, wrong):
    assert doctor_dotenv.read(text)[1] == wrong


def test_a_url_is_told_without_its_secret():
    assert doctor_app._without_secret("redis://me:secret@h:6379/0") == "redis://h:6379/0"
    assert doctor_app._without_secret("redis://:se/cret@h:6379/0") == "redis://h:6379/0"
    assert doctor_app._without_secret("redis://:se@cr/et@h:6379/0") == "redis://h:6379/0"


# -- replies


def answering(*replies, wait=0):
    """A server on this machine that says what a test needs, and hangs after that."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _from = server.accept()
        for reply in replies:
            connection.recv(4096)
            connection.sendall(reply)
        time.sleep(wait)
        connection.close()
        server.close()

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"+PONG\r\n", "PONG"),
        (b":-7\r\n", -7),
        (b"$-1\r\n", None),
        (b"$4\r\na\r\nb\r\n", "a\r\nb"),
        (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", ["a", [1]]),
    ],
)
def test_replies_are_read(reply, says):
    with doctor_resp.Connection(*answering(reply)) as connection:
        assert connection.call("ANY") == says


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([b"+OK\r\n", b"+PONG\r\n"], "accepted"),
        ([b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"], "refused"),
        ([b"-ERR AUTH <password> called without any password configured\r\n"], "not needed"),
        ([b"-DENIED Redis is running in protected mode\r\n"], "protected"),
        ([b"+OK\r\n", b"-LOADING Redis is loading\r\n"], "loading"),
        ([b"+OK\r\n", b"-BUSY Redis is busy\r\n"], "busy"),
        ([b"+OK\r\n", b"-MISCONF Redis is configured to save RDB snapshots\r\n"], "accepted"),
        ([b"+OK\r\n", b"-MASTERDOWN Link with MASTER is down\r\n"], "accepted"),
    ],
)
def test_login_is_told(replies, says):
    with doctor_resp.Connection(*answering(*replies)) as connection:
        assert doctor_resp.login(connection, "secret")[0] == says


def test_a_server_that_hangs_costs_no_more_than_its_time():
    begun = time.monotonic()
    with (
        doctor_resp.Connection(*answering(b"$100\r\nhalf", wait=2), seconds=0.3) as connection,
        pytest.raises(OSError, match="timed out"),
    ):
        connection.call("PING")
    assert time.monotonic() - begun < 1


def test_what_is_no_redis_is_told():
    with doctor_resp.Connection(*answering(b"HTTP/1.1 400\r\n")) as connection, pytest.raises(ConnectionError):
        connection.call("PING")


def test_a_database_that_takes_no_tls_is_told():
    address, port = answering(b"N")
    told = doctor_postgres.observe(f"postgresql://me:secret@{address}:{port}/chat?sslmode=require")
    assert told["connects"] and told["login"] == "refused" and told["why"] == "the server takes no TLS"


def test_a_database_that_is_not_there_is_told():
    told = doctor_postgres.observe("postgresql://me:secret@127.0.0.1:1/chat")
    assert not told["connects"] and told["why"] == "Connection refused" and "secret" not in str(told)


# -- logs and the machine


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('requirepass "secret', "requirepass (hidden)"),
        (">>> 'masterauth secret'", ">>> 'masterauth (hidden)"),
        ("sentinel auth-pass cache secret", "sentinel auth-pass (hidden)"),
        ("user default on #5e88 ~* +@all", "user (hidden)"),
        ("STATEMENT:  ALTER ROLE chat_app PASSWORD 'secret'", "STATEMENT:  ALTER ROLE chat_app PASSWORD (hidden)"),
        ("password authentication failed for user", "password authentication failed for user"),
        ("Ready to accept connections", "Ready to accept connections"),
    ],
)
def test_logs_are_told_without_secrets(line, shown):
    assert logs.last(f"\n{line}\n") == [shown]


def test_the_machine_is_read():
    told = doctor_machine.observe(["/", "/of/nothing"])
    assert told["memory"]["total"] > 0 and told["disks"]["/"]["total"] > 0
    assert told["disks"]["/"]["exists"] and not told["disks"]["/of/nothing"]["exists"]
    assert told["clock"]["synchronized"] in (True, False, None)


def test_who_may_write_is_told(tmp_path):
    tmp_path.chmod(0o700)
    assert doctor_machine.may_write(str(tmp_path), "nobody") is False
    tmp_path.chmod(0o777)
    assert doctor_machine.may_write(str(tmp_path), "nobody") is True
    assert doctor_machine.may_write("/of/nothing", "nobody") is None
