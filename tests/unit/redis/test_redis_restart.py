"""How long a server that crashed stays away, by what the Sentinels need to find it gone."""

import pytest
import role_vars


def seconds(**says):
    return role_vars.means("redis", "__redis_restart_seconds", says)


@pytest.mark.parametrize("down_after", [500, 1501, 5000, "30000"])
def test_under_sentinel_it_comes_back_after_the_replica_has_its_place(down_after):
    stays = seconds(redis_mode="sentinel", redis_sentinel_config={"down-after-milliseconds": down_after}) * 1000
    # the Sentinels find it gone after one of them, and have the other to agree and to act
    assert 2 * int(down_after) <= stays < 2 * int(down_after) + 1000


def test_what_the_inventory_does_not_say_is_the_time_of_the_baseline():
    assert seconds(redis_mode="sentinel", redis_sentinel_config={}) == 10


def test_where_nobody_takes_its_place_it_comes_back_at_once():
    assert {seconds(redis_mode=mode, redis_sentinel_config={}) for mode in ("standalone", "replication")} == {1}
