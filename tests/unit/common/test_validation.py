"""What is wrong with a variable, by what an argument specification says of it."""

import types

import pytest
from ansible_collections.cistern.core.plugins.plugin_utils.common import validation as variables

ENTRIES = {"type": "list", "options": {"name": {"type": "str", "required": True}, "port": {"type": "int"}}}
MAPPING = {
    "type": "dict",
    "options": {"mode": {"type": "str", "choices": ["keep", "replace"]}, "port": {"type": "int"}},
}


def host(broken=None, origins=None, **values):
    return types.SimpleNamespace(values=values, origins=origins or {}, broken=broken or {})


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ("x", {"type": "str"}),
        (1, {"type": "int"}),
        # as the command line has them
        ("-7", {"type": "int"}),
        ("0", {"type": "int"}),
        ("yes", {"type": "bool"}),
        ("False", {"type": "bool"}),
        (True, {"type": "bool"}),
        (1, {"type": "float"}),
        (0.5, {"type": "float"}),
        ([], {"type": "list"}),
        (["a"], {"type": "list"}),
        ([{"name": "a"}, {"name": "b", "port": 1}], ENTRIES),
        ({}, {"type": "dict"}),
        ({"any": 1}, {"type": "dict"}),
        ({"mode": "keep", "port": 1}, MAPPING),
        ("keep", {"type": "str", "choices": ["keep", "replace"]}),
        ("2", {"type": "int", "choices": [1, 2]}),
    ],
)
def test_what_fits_is_not_told(value, option):
    assert variables.wrong(value, option) is None


@pytest.mark.parametrize(
    ("value", "option", "problem"),
    [
        (1, {"type": "str"}, "must be text (in quotes), not 1"),
        (None, {"type": "path"}, "must be a path, not None"),
        ("07", {"type": "int"}, "must be a whole number, not '07'"),
        (True, {"type": "int"}, "must be a whole number, not True"),
        (1.5, {"type": "int"}, "must be a whole number, not 1.5"),
        (True, {"type": "float"}, "must be a number, not True"),
        ("1", {"type": "float"}, "must be a number, not '1'"),
        ("on", {"type": "bool"}, "must be true or false, not 'on'"),
        (1, {"type": "bool"}, "must be true or false, not 1"),
        ({}, {"type": "list"}, "must be a list, not {}"),
        ([], {"type": "dict"}, "must be a mapping, not []"),
        ("a", {"type": "dict"}, "must be a mapping, not 'a'"),
        ("[a]", {"type": "str", "choices": ["a"]}, "must be a, not '[a]'"),
        ("drop", {"type": "str", "choices": ["keep", "replace"]}, "must be keep or replace, not 'drop'"),
        (["a"], ENTRIES, "must be a list of mappings, not of 'a'"),
        ([{"name": "a"}, {"port": 1}], ENTRIES, "has an entry without name"),
        ([{"name": "a"}, {"name": "b", "port": "x"}], ENTRIES, "port: must be a whole number, not 'x'"),
        ({"mdoe": "keep"}, MAPPING, "has no key 'mdoe'; did you mean mode?"),
        ({"port": 1, "mode": "drop"}, MAPPING, "mode: must be keep or replace, not 'drop'"),
    ],
)
def test_what_does_not_fit_is_told(value, option, problem):
    assert variables.wrong(value, option) == problem


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [("list", " [a]", True), ("dict", "{a: 1}", True), ("list", "a", False), ("int", "{", False)],
)
def test_a_list_that_came_as_a_text_says_how_to_write_it(kind, value, told):
    assert ("write it in YAML, or with -e as JSON" in variables.wrong(value, {"type": kind})) is told


def test_each_variable_is_told_with_its_place():
    options = {
        "port": {"type": "int"},
        "name": {"type": "str", "required": True},
        "mode": {"type": "str", "required": True},
        "redis_password": {"type": "str"},
        "left": {"type": "int"},
    }
    said = host({"mode": "cannot be evaluated"}, {"port": "hosts.yml:3"}, port="x", prot=1, redis_password=1234, mode=7)
    assert list(variables.problems(said, options, home="group_vars/all")) == [
        "mode: cannot be evaluated",
        "prot: there is no such variable; did you mean port?",
        "port (hosts.yml:3): must be a whole number, not 'x'",
        "name: is missing; write it into group_vars/all",
        "redis_password: must be text (in quotes)",
    ]


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ("sixteen letters!", []),
        ("fifteen letters", ["secret: has 15 characters; write at least 16"]),
        ("sixteen letters!\n", ["secret: has a line break; write it on one line"]),
        ("a\0", ["secret: has 2 characters; write at least 16", "secret: has a line break; write it on one line"]),
        (1234, []),
    ],
)
def test_a_password_is_long_and_on_one_line(value, problems):
    assert list(variables.password(host(secret=value), "secret")) == problems


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("memory_share", 0.001, None),
        ("memory_share", 0.999, None),
        ("memory_share", 0, "must be a share between 0 and 1, such as 0.9, not 0"),
        ("memory_share", 1, "must be a share between 0 and 1, such as 0.9, not 1"),
        ("hit_rate", 1, "must be a share between 0 and 1, such as 0.9, not 1"),
        ("hit_rate_lookups", 10, None),
        ("evictions", 0, None),
        ("evictions", -1, "must not be negative, and is -1"),
        ("evictions", True, "must be a number, not True"),
        ("evictions", "1", "must be a number, not '1'"),
        ("eviction", 1, "there is no such threshold; did you mean evictions?"),
    ],
)
def test_a_threshold(name, value, problem):
    known = {"memory_share", "hit_rate", "hit_rate_lookups", "evictions"}
    found = list(variables.thresholds(host(limits={name: value}), "limits", known))
    assert found == ([f"{name} in limits: {problem}"] if problem else [])
    assert list(variables.thresholds(host(limits=[name]), "limits", known)) == []


@pytest.mark.parametrize(("value", "number"), [("7", 7), (7.9, 7), (None, 5), ("x", 5), ([], 5)])
def test_what_is_no_number_is_the_default(value, number):
    assert variables.integer(value, 5) == number


@pytest.mark.parametrize(
    ("value", "kind"), [({}, "a mapping"), ([], "a list"), (None, "null"), ("x", "str"), (1.5, "float")]
)
def test_a_kind_has_a_name(value, kind):
    assert variables.kind_of(value) == kind
