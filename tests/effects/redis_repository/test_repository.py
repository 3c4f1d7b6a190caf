"""Redis from a repository of one's own: what the pin and the hold keep, and what an upgrade costs."""

import archive

KEYS = 1000


def installed(instance):
    return instance.run(
        "dpkg-query --show --showformat '${Version} ${db:Status-Want}\\n' redis-server redis-tools"
    ).splitlines()


def test_it_comes_from_the_repository_and_is_held(everyone):
    for instance in everyone.values():
        assert installed(instance) == ["5:7.0.15-1archive hold"] * 2


def test_a_host_with_a_source_and_a_pin_of_its_own_is_only_observed(playbook):
    """The second run says what is to be read of such a host: nothing but the question, and no comparing of files."""
    playbook.run()
    run = playbook.run()
    assert run.changed == 0 and "Observe the machine" in run.output
    assert "Write the repository" not in run.output and "Apply files" not in run.output


def test_the_key_vouches_for_this_repository_alone(everyone):
    for instance in everyone.values():
        source = instance.run("cat /etc/apt/sources.list.d/cistern-redis.sources")
        assert "Signed-By: /etc/apt/keyrings/cistern-redis.asc" in source
        assert not instance.host.run("ls /etc/apt/trusted.gpg.d | grep -i cistern").stdout


def test_an_upgrade_happens_when_the_inventory_says_so_and_keeps_the_keys(everyone, playbook):
    for instance in everyone.values():
        archive.publish(instance, "7.0.16")
        instance.run("apt-get update -q")
        instance.run("DEBIAN_FRONTEND=noninteractive apt-get dist-upgrade -qy")
        assert installed(instance) == ["5:7.0.15-1archive hold"] * 2, "the hold let an upgrade through"
        client = instance.redis()
        client.mset({f"message:{number}": number for number in range(KEYS)})
    assert playbook.run().changed == 0
    pids = {name: instance.pid() for name, instance in everyone.items()}
    run = playbook.run({"redis_version": "7.0.16"})
    for name, instance in everyone.items():
        assert installed(instance) == ["5:7.0.16-1archive hold"] * 2
        assert run.steps(name)[-1] == f"restart {instance.unit}: its program was replaced by an upgrade"
        assert instance.pid() != pids[name]
        assert instance.redis().dbsize() == KEYS
    assert playbook.run({"redis_version": "7.0.16"}).changed == 0


def test_a_version_that_nobody_offers_is_an_error_and_changes_nothing(everyone, playbook):
    before = {name: (installed(instance), instance.pid()) for name, instance in everyone.items()}
    run = playbook.run({"redis_version": "7.0.77"}, fails=True)
    assert "7.0.77" in run.output
    assert {name: (installed(instance), instance.pid()) for name, instance in everyone.items()} == before


def test_a_downgrade_is_refused_before_anything_is_touched(everyone, playbook):
    before = {name: (installed(instance), instance.pid()) for name, instance in everyone.items()}
    run = playbook.run({"redis_version": "6.2"}, fails=True)
    assert "6.2 is older than the 7.0.1" in run.output
    assert {name: (installed(instance), instance.pid()) for name, instance in everyone.items()} == before
