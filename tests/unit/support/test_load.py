"""The load program's account: what it counts as missing, and what as a gap."""

import pytest
import redis
import write_ledger

RUN = "test"


class Server:
    """Answers MGET, and remembers how many keys it was asked for at once."""

    def __init__(self, writes):
        self.keys = {write.key(RUN): str(write.n) for write in writes}
        self.asked = []

    def mget(self, keys):
        self.asked.append(len(keys))
        return [self.keys.get(key) for key in keys]


def written(count=10, writers=2, began=100.0):
    """Return writes of one a tenth of a second, the writers in turn."""
    return [
        write_ledger.Write(n % writers, n // writers + 1, began + n / 10 - 0.01, began + n / 10)
        for n in range(1, count + 1)
    ]


def gathered(writes, errors=None, ended=101.5, lost=None, reads=()):
    each = [[write for write in writes if write.writer == writer] for writer in (0, 1)]
    return write_ledger.gather(RUN, 100.0, ended, each, list(reads), 0, lost, errors or write_ledger.Errors(100.0))


def test_every_write_that_a_server_has_is_found():
    writes = written(1201)
    server = Server(writes)
    assert write_ledger.missing(server, RUN, writes) == []
    assert server.asked == [500, 500, 201]


def test_a_write_that_is_gone_or_altered_is_missing_and_named():
    writes = written()
    server = Server(writes)
    del server.keys[writes[3].key(RUN)]
    server.keys[writes[7].key(RUN)] = "7777"
    assert write_ledger.missing(server, RUN, writes) == [writes[3], writes[7]]


def test_writers_and_runs_do_not_share_keys():
    writes = written(1000)
    assert len({write.key(run) for write in writes for run in ("one", "two")}) == 2000


@pytest.mark.parametrize(
    ("times", "gap"),
    [
        ([100.5, 101.0, 103.5, 104.0], (2.5, 101.0)),
        ([103.5, 101.0, 100.5, 104.0], (2.5, 101.0)),
        ([103.0, 104.0], (3.0, 100.0)),
        ([100.5, 101.0], (4.0, 101.0)),
        ([], (5.0, 100.0)),
        # an answer that came while the load ended
        ([102.0, 105.5], (3.5, 102.0)),
    ],
    ids=["inside", "unordered", "at the beginning", "at the end", "nothing at all", "after the end"],
)
def test_the_longest_gap_reaches_from_the_beginning_to_the_end(times, gap):
    assert write_ledger.longest_gap(times, 100.0, 105.0) == gap


def test_a_pause_of_all_writers_is_a_gap_and_that_of_one_is_not():
    both = [write for write in written(50) if not 101.0 < write.at < 103.0]
    one = [write for write in written(50) if write.writer or not 101.0 < write.at < 103.0]
    paused, waited = gathered(both, ended=105.0), gathered(one, ended=105.0)
    assert paused.longest_write_gap == pytest.approx(2.0) and paused.gap_began == pytest.approx(1.0)
    assert waited.longest_write_gap == pytest.approx(0.2)
    assert waited.worst_writer_gap == pytest.approx(2.2, abs=0.21)


def test_a_result_counts_what_was_acknowledged_and_in_which_second():
    found = gathered(written(14), reads=[100.2, 101.4])
    assert (found.acknowledged, found.per_second) == (14, [9, 5])
    assert found.longest_read_gap == pytest.approx(1.2)
    assert found.missing is None and "not verified" in found.summary()
    assert "3 missing" in gathered(written(14), lost=written(3)).summary()


def test_errors_are_told_by_what_the_server_said():
    errors = write_ledger.Errors(100.0)
    errors.note(redis.exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), 101.0)
    errors.note(redis.exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), 104.5)
    errors.note(redis.ConnectionError("The previous master is now a slave"), 102.0)
    errors.note(
        redis.exceptions.ReadOnlyError("You can't write against a read only replica.", status_code="READONLY"), 103.0
    )
    errors.note(redis.TimeoutError("Timeout reading from socket"), 103.0)
    errors.note(ConnectionResetError(104, "Connection reset by peer"), 103.0)
    assert errors.last == 104.5
    assert errors.kinds == {
        "NOREPLICAS": {"count": 2, "first": 1.0, "last": 4.5},
        "READONLY": {"count": 2, "first": 2.0, "last": 3.0},
        "TimeoutError": {"count": 1, "first": 3.0, "last": 3.0},
        "ConnectionResetError": {"count": 1, "first": 3.0, "last": 3.0},
    }
