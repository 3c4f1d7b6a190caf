"""A run says what is not whole, also where it changes nothing, and fails where it breaks the next connection."""

from keys import save
from test_replication import primary, wait_until_linked
from waiting import wait_for

# the links that stand go on with it; a new one logs in as nobody
BREAKS_THE_NEXT_LINK = {"redis_group_config": {"masteruser": "nobody"}}


def is_linked(instance):
    return instance.redis().info("replication")["master_link_status"] == "up"


def test_a_setting_that_breaks_the_next_link_fails_and_is_stated_until_it_is_gone(playbook, everyone):
    run = playbook.run(BREAKS_THE_NEXT_LINK, fails=True)
    assert run.changed and "a connection that the deployment lives on is refused" in run.output
    lead = primary(everyone)
    for other in everyone.values():
        place = f"as a replica to {other.address} port {other.vars['redis_port']}: "
        assert place in " ".join(run.output.split())

    # the link still stands, and the run that finds it so changes nothing
    run = playbook.run(BREAKS_THE_NEXT_LINK)
    assert run.changed == 0 and f"a new connection is refused as a replica to {lead.address}" in run.output

    lead.redis().client_kill_filter(_type="replica")
    replicas = [instance for instance in everyone.values() if instance is not lead]
    wait_for(lambda: not any(map(is_linked, replicas)))
    run = playbook.run(BREAKS_THE_NEXT_LINK)
    assert run.changed == 0
    for replica in replicas:
        assert f"deployment feed: {replica} has no link to its primary {lead}" in run.output
    run = playbook.run(BREAKS_THE_NEXT_LINK, ["--extra-vars", "health_strict=true"], fails=True)
    assert run.changed == 0 and "Not everything is whole, and health_strict is set" in run.output

    run = playbook.run()
    wait_until_linked(everyone)
    assert run.changed and "has no link" not in run.output and "[WARNING]" not in run.output


def test_data_that_cannot_be_written_is_stated(playbook, everyone):
    lead = primary(everyone)
    snapshot = f"{lead.vars['redis_data_dir']}/dump.rdb"
    state = "rdb_last_bgsave_status"
    lead.run(f"rm -f {snapshot}; mkdir {snapshot}")
    try:
        save(lead, "bgsave")
        wait_for(lambda: lead.redis().info("persistence")[state] == "err")
        run = playbook.run()
        assert run.changed == 0
        assert f"{lead}: the server could not write its data to disk ({state} is err)" in run.output
    finally:
        lead.run(f"rmdir {snapshot}")
    save(lead, "bgsave")
    wait_for(lambda: lead.redis().info("persistence")[state] == "ok")
    assert "could not write" not in playbook.run().output
