"""What YAML makes of a value, and what a person has written: told where the two differ."""

import datetime

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.cistern.core.plugins.plugin_utils.common import validation as variables
from ansible_collections.cistern.core.plugins.plugin_utils.common.spelling import misread
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema


def read(tmp_path, text):
    path = tmp_path / "vars.yml"
    path.write_text(text, encoding="utf-8")
    return DataLoader().load_from_file(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 0770", "a: YAML makes 504 of 0770; write '0770', in quotes, or 504"),
        ("b: 1\nc: 2\na: 0770", "a: YAML makes 504 of 0770; write '0770', in quotes, or 504"),
        ("{a: 0660}", "a: YAML makes 432 of 0660; write '0660', in quotes, or 432"),
        ("a: 22:30  # a time", "a: YAML makes 1350 of 22:30; write '22:30', in quotes, or 1350"),
        ("a: {b: [x, 1_000]}", "a: b: YAML makes 1000 of 1_000; write '1_000', in quotes, or 1000"),
        ("a: 0x10", "a: YAML makes 16 of 0x10; write '0x10', in quotes, or 16"),
        ("a: 2026-01-02", "a: YAML makes a date of 2026-01-02; write it in quotes"),
        ("a: 190:20:30.15", "a: YAML makes 685230.15 of 190:20:30.15; write '190:20:30.15', in quotes, or 685230.15"),
    ],
)
def test_what_is_not_what_is_written(tmp_path, text, message):
    assert list(misread(read(tmp_path, text))) == [message]


@pytest.mark.parametrize(
    "text", ["a: '0770'", "a: 770", "a: -1", "a: 0", "a: 0.25", "a: 0.90", "a: 1e3", "a: [1, 2]", "a: on"]
)
def test_what_is_as_it_is_written(tmp_path, text):
    assert list(misread(read(tmp_path, text))) == []


def test_what_can_no_longer_be_read_is_not_told(tmp_path):
    """Nobody knows then how it was written."""
    gone, short = read(tmp_path, "a: 0770"), tmp_path / "short.yml"
    (tmp_path / "vars.yml").unlink()
    assert list(misread(gone)) == []
    short.write_text("b: 1\na: 0770\n", encoding="utf-8")
    value = DataLoader().load_from_file(str(short))
    short.write_text("b: 1\n", encoding="utf-8")
    assert list(misread(value)) == []


def test_a_date_from_nowhere_is_told_as_it_is():
    message = "YAML makes a date of 2026-01-02; write it in quotes"
    assert list(misread([datetime.date(2026, 1, 2), 7, True])) == [message]


def test_a_mode_that_comes_from_nowhere_has_to_be_a_text(tmp_path):
    def message(value):
        found = redis_directives.problems({"unixsocketperm": value}, redis_schema.load(), "7.0.15")
        return [problem.message for problem in found]

    assert "nobody can tell" in message(504)[0]
    assert message("0770") == message("770") == message(read(tmp_path, "a: 770")["a"]) == []


def test_names_that_are_no_text(tmp_path):
    told = list(misread(read(tmp_path, "{on: {column: x}, 12: y, 'no': 2}")))
    assert [text.split(" is no text")[0] for text in told] == ["the name True", "the name 12"]


def test_a_kind_has_a_plain_name():
    class Tagged(datetime.date):
        """As Ansible's own, which knows where it was written."""

    assert variables.kind_of(Tagged(2026, 1, 2)) == "a date" and variables.kind_of({}) == "a mapping"
