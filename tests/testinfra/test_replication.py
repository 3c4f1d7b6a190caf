"""Is a replicated deployment one: a single primary, and every other instance a replica that keeps up with it?"""

import time


def roles(members):
    return {member.name: member.redis().execute_command("ROLE") for member in members}


def test_there_is_one_primary(members):
    assert [role[0] for role in roles(members).values()].count("master") == 1


def test_every_replica_follows_the_primary(members):
    told = roles(members)
    [primary] = [member for member in members if told[member.name][0] == "master"]
    place = [primary.vars["redis_address"].lower(), primary.vars["redis_announce_port"] or primary.vars["redis_port"]]
    followed = {name: [role[1].lower(), role[2], role[3]] for name, role in told.items() if role[0] == "slave"}
    assert followed == {member.name: [*place, "connected"] for member in members if member is not primary}


def test_the_primary_sees_every_replica_at_its_address(members):
    told = roles(members)
    [primary] = [name for name, role in told.items() if role[0] == "master"]
    seen = {(address.lower(), int(port)) for address, port, _offset in told[primary][2]}
    wanted = {
        (member.vars["redis_address"].lower(), member.vars["redis_announce_port"] or member.vars["redis_port"])
        for member in members
        if member.name != primary
    }
    assert seen == wanted


def test_replicas_keep_up(members):
    told = roles(members)
    [primary] = [member for member in members if told[member.name][0] == "master"]
    written = primary.redis().info("replication")["master_repl_offset"]
    until = time.monotonic() + 10
    for member in members:
        while member.redis().info("replication")["master_repl_offset"] < written:
            assert time.monotonic() < until, f"{member} does not get to offset {written}"
            time.sleep(0.05)


def test_the_file_says_who_is_followed(members):
    """So that a restart brings each back in its part."""
    for member in members:
        role = member.redis().execute_command("ROLE")
        lines = [line for line in member.run(f"cat {member.conf}").splitlines() if line.startswith("replicaof")]
        assert lines == ([f"replicaof {role[1]} {role[2]}"] if role[0] == "slave" else [])
