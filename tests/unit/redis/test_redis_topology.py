"""What is asked of the others of a deployment, and what is made of their answers."""

from ansible_collections.cistern.core.plugins.module_utils.redis import client as redis_server
from ansible_collections.cistern.core.plugins.module_utils.redis import topology

NODE = {"address": "10.0.0.1", "port": 26379}


def monitor(flags):
    return {"ip": "10.0.0.2", "port": "6379", "flags": flags}


def flat(answer):
    return [word for pair in answer.items() for word in pair]


class Sentinel:
    """Answers as the client gives it: a list of names and values."""

    def __init__(self, answers):
        self.answers = answers

    def execute_command(self, *words):
        answer = self.answers[words[1]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_answer_of_a_sentinel_is_understood(monkeypatch):
    sentinel = Sentinel({"MASTER": flat(monitor("o_down,master")), "REPLICAS": [flat(monitor("slave"))]})
    monkeypatch.setattr(redis_server, "reach", lambda *_words: sentinel)
    state = topology.observe_sentinel(NODE, "cache", [])
    assert sorted(state.pop("flags")) == ["master", "o_down"]
    assert state == {"answers": True, "primary": "10.0.0.2 6379", "replicas": ["10.0.0.2 6379"]}


def test_a_sentinel_that_does_not_watch_answers_all_the_same(monkeypatch):
    sentinel = Sentinel({"MASTER": redis_server.RedisError("No such master")})
    monkeypatch.setattr(redis_server, "reach", lambda *_words: sentinel)
    state = topology.observe_sentinel(NODE, "cache", [])
    assert state == {"answers": True, "primary": None, "flags": [], "replicas": []}


def test_a_sentinel_that_is_not_reached_says_why(monkeypatch):
    def reach(*_words):
        raise OSError("No route to host")

    monkeypatch.setattr(redis_server, "reach", reach)
    state = topology.observe_sentinel(NODE, "cache", [])
    assert not state["answers"] and state["why"] == "No route to host" and state["primary"] is None


def test_the_others_are_asked_over_the_net_and_the_own_instance_is_not(monkeypatch):
    addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    nodes = [{"host": address, "address": address, "port": 6379} for address in addresses]
    deployment = {"name": "cache", "me": "10.0.0.1 6379", "nodes": nodes, "sentinels": []}
    monkeypatch.setattr(topology, "observe_node", lambda node, _passwords: {"answers": True, "why": node["address"]})
    silent = {"answers": False, "why": "it does not run"}
    others = {
        "10.0.0.2 6379": {"answers": True, "why": "10.0.0.2"},
        "10.0.0.3 6379": {"answers": True, "why": "10.0.0.3"},
    }
    assert topology.view(deployment, [], "")["nodes"] == {"10.0.0.1 6379": silent, **others}
