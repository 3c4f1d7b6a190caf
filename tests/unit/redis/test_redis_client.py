"""The client that modules have: it needs no library, says what is refused and what is gone, and comes back."""

import socket
import threading
import time

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import connection as redis_connection
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology

INFO = (
    "# Server\r\nredis_version:7.0.15\r\nprocess_id:7\r\nrun_id:abc\r\n\r\n# Replication\r\nrole:master\r\n"
    "slave0:ip=10.0.0.2,port=6379,state=online,offset=9,lag=0\r\nmaster_repl_offset:9\r\n"
    "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\n"
)
# what a test gives a reply, after which the server closes the connection
THEN_CLOSES = b"(then it closes)"


@pytest.fixture
def server():
    """A server that answers each command by the next of these replies."""
    listening = socket.create_server(("127.0.0.1", 0))
    replies, seen = [], []

    def serve():
        waiting = list(replies)
        while waiting:
            connection, _address = listening.accept()
            with connection:
                while waiting and (received := connection.recv(4096)):
                    seen.append(received)
                    reply = waiting.pop(0)
                    if reply is None:  # it closes the connection
                        break
                    connection.sendall(reply.removesuffix(THEN_CLOSES))
                    if reply.endswith(THEN_CLOSES):
                        break

    thread = threading.Thread(target=serve, daemon=True)
    yield listening.getsockname()[1], replies, seen, thread
    listening.close()


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text.encode()), text.encode())


def test_info_is_what_the_topology_reads(server):
    port, replies, _seen, thread = server
    replies.append(bulk(INFO))
    thread.start()
    info = redis_server.Client("127.0.0.1", port).info()
    state = redis_topology.node_state(info)
    assert (info["process_id"], info["db0"]["keys"]) == (7, 3)
    assert (state["role"], state["keys"], state["replicas"]) == ("primary", 3, ["10.0.0.2 6379"])


def test_it_logs_in_and_says_what_the_server_refuses(server):
    port, replies, seen, thread = server
    replies += [b"+OK\r\n", b"*2\r\n$4\r\nport\r\n$4\r\n6379\r\n", b"-NOPERM no\r\n"]
    thread.start()
    client = redis_server.Client("127.0.0.1", port, username="app", password="secret")
    assert client.execute_command("CONFIG", "GET", "port") == ["port", "6379"]
    assert b"AUTH" in seen[0] and b"secret" in seen[0]
    with pytest.raises(redis_server.RedisError, match="NOPERM no"):
        client.execute_command("GET", "a")


def test_a_login_that_is_refused_is_an_answer_like_any_other(server):
    port, replies, _seen, thread = server
    replies += [b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"]
    thread.start()
    with pytest.raises(redis_server.RedisError, match="^WRONGPASS"):
        redis_server.Client("127.0.0.1", port, password="former").execute_command("PING")


def test_who_serves_and_who_does_not():
    for text in ("MISCONF cannot save", "LOADING Redis is loading the dataset in memory", "BUSY a script runs"):
        assert redis_server.serves(RuntimeError(text))
    assert not redis_server.serves(RuntimeError("NOAUTH Authentication required."))


def client_of(server, *replies):
    port, given, _seen, thread = server
    given += replies
    thread.start()
    return redis_server.Client("127.0.0.1", port)


# Sentinel ends all connections of a server whose part it changes (CLIENT KILL TYPE normal, sentinel.c), and a run may
# be waiting for just that.


@pytest.mark.parametrize("words", [("CONFIG", "SET", "maxmemory", "1"), ("ACL", "SAVE"), ("INFO",)])
def test_a_connection_that_was_ended_between_two_commands_is_opened_anew(server, words):
    client = client_of(server, b"+PONG\r\n" + THEN_CLOSES, b"+OK\r\n")
    assert client.execute_command("PING") == "PONG"
    until = time.monotonic() + 10
    while not client._connection.ended() and time.monotonic() < until:
        time.sleep(0.01)
    assert client.execute_command(*words) == "OK"


@pytest.mark.parametrize(
    "words", [("INFO", "server"), ("config", "get", "*"), ("ACL", "LIST"), ("SENTINEL", "MASTERS")]
)
def test_a_question_whose_answer_was_lost_is_asked_again(server, words):
    client = client_of(server, None, b"+answer\r\n")
    assert client.execute_command(*words) == "answer"


@pytest.mark.parametrize("words", [("CONFIG", "SET", "maxmemory", "1"), ("BGSAVE",), ("SENTINEL", "RESET", "cache")])
def test_what_changes_a_server_is_not_sent_twice(server, words):
    client = client_of(server, None, b"+OK\r\n")
    with pytest.raises(OSError):
        client.execute_command(*words)
    assert client.execute_command("PING") == "OK"


def test_a_question_that_is_lost_twice_is_lost(server):
    client = client_of(server, None, None, b"+PONG\r\n")
    with pytest.raises(OSError):
        client.info()
    assert client.execute_command("PING") == "PONG"


def test_half_a_transaction_goes_to_no_other_connection(server):
    client = client_of(server, b"+OK\r\n" + THEN_CLOSES, b"+OK\r\n")
    with pytest.raises(OSError):
        client.together(("INFO",), ("CONFIG", "SET", "maxmemory", "1"))
    assert [word for word in (b"INFO", b"CONFIG") if any(word in each for each in server[2])] == []
    assert client.execute_command("PING") == "OK"


@pytest.mark.parametrize(
    ("answers", "refused", "sent"),
    [
        ([b"+OK\r\n", b"+QUEUED\r\n", b"+QUEUED\r\n", b"*2\r\n+OK\r\n:1\r\n"], None, "EXEC"),
        ([b"+OK\r\n", b"+QUEUED\r\n", b"+QUEUED\r\n", b"*2\r\n+OK\r\n-ERR bad\r\n"], "bad", "EXEC"),
        # what is refused at once leaves nothing behind that would be carried out with the next commands
        ([b"+OK\r\n", b"-ERR unknown\r\n"], "unknown", "CLIENT"),
    ],
)
def test_commands_run_together_or_not_at_all(server, answers, refused, sent):
    port, replies, seen, thread = server
    replies += [*answers, b"+PONG\r\n"]
    thread.start()
    client = redis_server.Client("127.0.0.1", port)
    commands = ["CLIENT", "PAUSE", "1"], ["SET", "a", "b"]
    if refused:
        with pytest.raises(redis_server.RedisError, match=f"^{refused}$"):
            client.together(*commands)
    else:
        client.together(*commands)
    assert sent.encode() in seen[-1]
    # on a new connection where the old one has begun what was not ended
    assert client.execute_command("PING") == "PONG"


def test_one_that_is_gone_is_not_waited_for_as_long_as_a_call(monkeypatch):
    asked = []

    def connect(_endpoint, timeout):
        asked.append(timeout)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    for client in (redis_server.Client("::1", 1), redis_server.Client("::1", 1, seconds=2, connect_seconds=2)):
        with pytest.raises(OSError):
            client.execute_command("PING")
    assert asked == [redis_connection.CONNECT_PATIENCE, 2] and redis_connection.PATIENCE >= 60
