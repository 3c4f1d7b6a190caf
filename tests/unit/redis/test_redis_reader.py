"""The client for a host without redis-py answers as redis-py does, and is in no way of it."""

import socket
import threading

import pytest
from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import reader as redis_reader
from ansible_collections.cistern.core.plugins.module_utils.redis import topology as redis_topology

INFO = (
    "# Server\r\nredis_version:7.0.15\r\nprocess_id:7\r\nrun_id:abc\r\n\r\n# Replication\r\nrole:master\r\n"
    "slave0:ip=10.0.0.2,port=6379,state=online,offset=9,lag=0\r\nmaster_repl_offset:9\r\n"
    "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\n"
)


@pytest.fixture
def server():
    """A server that answers each command by the next of these replies."""
    listening = socket.create_server(("127.0.0.1", 0))
    replies, seen = [], []

    def serve():
        connection, _address = listening.accept()
        with connection:
            for reply in replies:
                seen.append(connection.recv(4096))
                connection.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    yield listening.getsockname()[1], replies, seen, thread
    listening.close()


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text.encode()), text.encode())


def test_info_is_what_the_topology_reads(server):
    port, replies, _seen, thread = server
    replies.append(bulk(INFO))
    thread.start()
    info = redis_reader.Reader(host="127.0.0.1", port=port, password=None).info()
    state = redis_topology.node_state(info)
    assert (info["process_id"], info["db0"]["keys"]) == (7, 3)
    assert (state["role"], state["keys"], state["replicas"]) == ("primary", 3, ["10.0.0.2 6379"])


def test_it_logs_in_and_says_what_the_server_refuses(server):
    port, replies, seen, thread = server
    replies += [b"+OK\r\n", b"*2\r\n$4\r\nport\r\n$4\r\n6379\r\n", b"-NOPERM no\r\n"]
    thread.start()
    reader = redis_reader.Reader(host="127.0.0.1", port=port, username="app", password="secret")
    assert reader.execute_command("CONFIG", "GET", "port") == ["port", "6379"]
    assert b"AUTH" in seen[0] and b"secret" in seen[0]
    with pytest.raises(RuntimeError, match="NOPERM no"):
        reader.execute_command("GET", "a")


def test_who_serves_and_who_does_not():
    for text in ("MISCONF cannot save", "LOADING Redis is loading the dataset in memory", "BUSY a script runs"):
        assert redis_server.serves(RuntimeError(text))
    assert not redis_server.serves(RuntimeError("NOAUTH Authentication required."))
