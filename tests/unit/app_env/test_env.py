"""The application's .env: what its readers make of it, what is in it, and which words refuse a wrong inventory."""

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dotenv
import psycopg
import pytest
import yaml
from ansible_collections.cistern.core.plugins.filter.env import FilterModule
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv as env
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import env_file as app_env
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from env_values import VALUES

ROOT = Path(__file__).resolve().parents[3]
BASELINE = {"CACHE_ENABLED": True, "CACHE_DEFAULT_TTL": 3600}

# -- what is read back


def by_dotenv(path, keys):
    found = dotenv.dotenv_values(path)
    return {key: found.get(key) for key in keys}


def by_shell(shell):
    program = "import json, os, sys; print(json.dumps({key: os.environ.get(key) for key in sys.argv[1:]}))"

    def read(path, keys):
        script = f'set -eu; set -a; . "{path}"; set +a; exec "$0" -c "$@"'
        command = [shutil.which(shell), "-c", script, sys.executable, program, *keys]
        surroundings = {"PATH": os.environ["PATH"], "HOME": "/home/of-the-test", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return json.loads(done.stdout)

    return read


READERS = {"python-dotenv": by_dotenv, "dash": by_shell("dash"), "bash": by_shell("bash")}


def read_back(reader, values, folder, lines=env.lines):
    path = folder / ".env"
    path.write_text("# a comment\n" + "\n".join(lines(values)) + "\n", encoding="utf-8")
    return READERS[reader](path, list(values))


@pytest.mark.parametrize("reader", READERS)
def test_every_value_is_read_back(reader, tmp_path):
    found = read_back(reader, VALUES, tmp_path)
    assert {key: (value, found[key]) for key, value in VALUES.items() if found[key] != value} == {}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("value", ["'", "'\\", "'$", "'`", "${A}"])
def test_a_file_of_one_value_has_the_helpers_it_needs(reader, value, tmp_path):
    assert read_back(reader, {"ONE": value}, tmp_path) == {"ONE": value}


# Ways of quoting that look right, and who sees that they are not.
BROKEN = {
    "none at all": (str, {"python-dotenv", "dash", "bash"}),
    "single quotes": (lambda text: "'" + text.replace("'", "'\\''") + "'", {"python-dotenv"}),
    "single quotes, escaped": (
        lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'",
        {"dash", "bash"},
    ),
    "a shell's double quotes": (
        lambda text: '"' + "".join("\\" * (c in '"\\$`') + c for c in text) + '"',
        {"python-dotenv"},
    ),
    "python-dotenv's": (lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"', {"dash", "bash"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_quoting_is_seen(name, tmp_path):
    spell, seen_by = BROKEN[name]

    def differs(reader):
        try:
            values = {
                key: value for key, value in VALUES.items() if value in ("it's", "'\\", "'$HOME", "${HOME}", "a b")
            }
            return (
                read_back(reader, values, tmp_path, lambda _: [f"{k}={spell(v)}" for k, v in values.items()]) != values
            )
        except AssertionError:
            return True

    assert seen_by <= {reader for reader in READERS if differs(reader)}


def test_what_needs_no_quotes_has_none():
    plain = {"A": "redis://10.0.0.1:6379/0", "B": 20, "C": True, "D": False, "E": 0.5}
    assert env.lines(plain) == ["A=redis://10.0.0.1:6379/0", "B=20", "C=true", "D=false", "E=0.5"]
    assert env.lines({"A": "a$b`"}) == ["A='a$b`'"]


def test_a_backslash_at_the_end_is_kept_away_from_the_quote():
    """python-dotenv 1.2.2 would take it for an escaped quote; the one that is installed here may not."""
    assert env.lines({"A": "'\\"}) == ["CISTERN_END=''", 'A="\'\\\\${CISTERN_END}"']


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "\n", ["a"], {"a": 1}, None, "\udc80"])
def test_what_cannot_be_written_is_refused_without_being_shown(value):
    told = env.wrong_value(value)
    assert told and ";" in told and repr(value) not in told
    with pytest.raises(ValueError):
        env.lines({"A": value})


@pytest.mark.parametrize("key", ["A", "_A", "a1", "PATH", "UIDS"])
def test_names_that_are_taken(key):
    assert env.wrong_name(key) is None


@pytest.mark.parametrize(
    "key", ["", "1A", "A-B", "A B", "Ä", "A\n", 1, None, "_", "UID", "PPID", "BASH_VERSINFO", "CISTERN_END"]
)
def test_names_that_are_refused(key):
    assert env.wrong_name(key)


def test_bash_refuses_what_belongs_to_it(tmp_path):
    """The reason of the list: a file that sets one of these is not read to its end."""
    with pytest.raises(AssertionError, match="readonly"):
        read_back("bash", {"UID": "1", "ONE": "1"}, tmp_path)


# -- what is in it


def inventory(mode="standalone", **own):
    """Return the arguments of app_env.file for app1: a deployment `cache` of redis1, redis2 and redis3."""
    names = ["redis1", "redis2", "redis3"]
    nodes = [{"host": name, "address": f"10.0.0.{number}", "port": 6379} for number, name in enumerate(names, 1)]
    deployment = {"mode": mode, "initial_primary": "redis2", "nodes": nodes, "sentinels": []}
    if mode == "standalone":
        deployment.update(initial_primary="redis1", nodes=nodes[:1])
    if mode == "sentinel":
        deployment["sentinels"] = [{**node, "port": 26379} for node in nodes]
    hostvars = {
        node["host"]: {
            "ansible_host": node["address"],
            "redis_password": "it's sixteen letters",
            "redis_bind": ["127.0.0.1", node["address"]],
        }
        for node in nodes
    }
    hostvars["app1"] = {"ansible_host": "10.0.0.9", **own}
    return "app1", hostvars, {"cache": deployment}, BASELINE


def values(*arguments):
    return app_env.file(*arguments)["values"]


def refused(arguments):
    host, *others = arguments
    with pytest.raises(app_env.Wrong) as wrong:
        app_env.file(host, *others)
    assert app_env.errors([host], *others) == [f"{text} [{host}]" for text in wrong.value.args]
    return list(wrong.value.args)


def test_standalone():
    file = app_env.file(*inventory())
    url, password = "redis://10.0.0.1:6379/0", "it's sixteen letters"
    assert file.pop("values") == {"REDIS_URL": url, "REDIS_PASSWORD": password, **BASELINE}
    assert file == {"path": "/srv/app/.env", "owner": "root", "group": "root", "notes": [], "ca": ""}


@pytest.mark.parametrize("primary, url, replicas", [(None, "2", "13"), ("redis3", "3", "12")])
def test_replication(primary, url, replicas):
    file = app_env.file(*inventory("replication", app_env_primary=primary))
    assert file["values"]["REDIS_URL"] == f"redis://10.0.0.{url}:6379/0"
    assert file["values"]["REDIS_REPLICAS"] == ",".join(f"10.0.0.{number}:6379" for number in replicas)
    assert "app_env_primary" in " ".join(file["notes"])


def test_sentinel():
    arguments = inventory("sentinel")
    ends = "10.0.0.1:26379,10.0.0.2:26379,10.0.0.3:26379"
    assert values(*arguments) == {
        "REDIS_URL": f"redis+sentinel://{ends}/cache/0",
        "REDIS_PASSWORD": "it's sixteen letters",
        "REDIS_SENTINELS": ends,
        "REDIS_SENTINEL_MASTER": "cache",
        "REDIS_SENTINEL_PASSWORD": "it's sixteen letters",
        **BASELINE,
    }
    arguments[1]["redis1"]["redis_sentinel_password"] = "another one"
    assert values(*arguments)["REDIS_SENTINEL_PASSWORD"] == "another one"


def test_the_first_sentinel_says_the_password_of_all():
    """Its own, else that of the Redis beside it, else that of the deployment."""
    arguments = inventory("sentinel")
    _host, hostvars, deployments, _baseline = arguments
    deployments["cache"]["sentinels"][0] = {"host": "watch1", "address": "10.0.0.8", "port": 26379}
    hostvars["watch1"] = {}
    hostvars["redis1"]["redis_password"] = "of the first"
    assert values(*arguments)["REDIS_PASSWORD"] == values(*arguments)["REDIS_SENTINEL_PASSWORD"] == "of the first"
    hostvars["watch1"]["redis_password"] = "of another"
    assert values(*arguments)["REDIS_SENTINEL_PASSWORD"] == "of another"
    hostvars["watch1"]["redis_sentinel_password"] = "its own"
    assert values(*arguments)["REDIS_SENTINEL_PASSWORD"] == "its own"
    assert values(*arguments)["REDIS_PASSWORD"] == "of the first"


def test_an_address_of_ipv6_is_in_brackets():
    arguments = inventory("sentinel")
    arguments[2]["cache"]["sentinels"][0]["address"] = "2001:db8::1"
    assert values(*arguments)["REDIS_SENTINELS"].startswith("[2001:db8::1]:26379,")
    arguments = inventory()
    arguments[2]["cache"]["nodes"][0]["address"] = "2001:db8::1"
    assert values(*arguments)["REDIS_URL"] == "redis://[2001:db8::1]:6379/0"


@pytest.mark.parametrize("bind", [None, ["127.0.0.1"], ["-::1", "localhost"]])
def test_a_server_for_its_own_machine_serves_only_that(bind):
    arguments = inventory()
    arguments[1]["redis1"]["redis_bind"] = bind
    [told] = refused(arguments)
    assert told.startswith("redis_bind of redis1") and "app1" in told and "10.0.0.1" in told
    arguments[1]["app1"]["ansible_host"] = "10.0.0.1"
    assert values(*arguments)["REDIS_URL"] in ("redis://127.0.0.1:6379/0", "redis://[::1]:6379/0")


def test_settings_are_laid_over_the_baseline():
    own = {"CACHE_ENABLED": False, "CACHE_DEFAULT_TTL": None, "MORE": "x"}
    found = values(*inventory(app_env=own))
    assert list(found)[2:] == ["CACHE_ENABLED", "MORE"] and found["CACHE_ENABLED"] is False
    assert BASELINE == {"CACHE_ENABLED": True, "CACHE_DEFAULT_TTL": 3600}


POLICIES = {"cache": {"ttls": {"CACHE_USER_TTL": 900, "CACHE_NEWS_TTL": 60}}}


def test_times_to_live_are_those_of_the_policy():
    found = app_env.file(*inventory(), policies=POLICIES)["values"]
    assert (found["CACHE_USER_TTL"], found["CACHE_NEWS_TTL"]) == (900, 60)
    other = app_env.file(*inventory(), policies={"sessions": POLICIES["cache"]})["values"]
    assert "CACHE_USER_TTL" not in other, "those of another deployment"


def test_a_time_to_live_is_written_in_one_place():
    host, *others = inventory(app_env={"CACHE_USER_TTL": 5})
    [told] = app_env.errors([host], *others, policies=POLICIES)
    assert told == "CACHE_USER_TTL in app_env: is computed; write cache_ttls of the deployment [app1]"


@pytest.mark.parametrize(
    "own, told",
    [
        ({"app_env": {"REDIS_URL": "x"}}, "REDIS_URL in app_env: is computed; write app_env_deployment"),
        ({"app_env": {"REDIS_PASSWORD": None}}, "REDIS_PASSWORD in app_env: is computed; write redis_password of"),
        ({"app_env": {"A-B": 1}}, "A-B in app_env: is not a name; write letters"),
        ({"app_env": {"A": "secret\n"}}, "A in app_env: must be one line"),
        ({"app_env": {"A": [1]}}, "A in app_env: must be a plain value, not a list; write"),
        ({"app_env": {"A": datetime.date(2026, 1, 2)}}, "A in app_env: YAML makes a date of 2026-01-02; write"),
        ({"app_env": "A=1"}, "app_env: must be a mapping"),
        ({"app_env_deployment": "cahce"}, "app_env_deployment: there is no deployment cahce; did you mean cache? The"),
        ({"app_env_deployment": "x"}, "app_env_deployment: there is no deployment x. The inventory has cache"),
        ({"app_env_primary": "redis2"}, "app_env_primary: redis2 is not in the deployment cache; write one of redis1"),
        ({"app_env_path": ".env"}, "app_env_path: must be the absolute path of a file, such as /srv/app/.env"),
        ({"app_env_path": "/srv/"}, "app_env_path: must be the absolute path"),
        ({"app_env_owner": 1000}, "app_env_owner: must be the name of a user"),
        ({"app_env_group": ""}, "app_env_group: must be the name of a group"),
        ({"app_env_pth": "/a"}, "app_env_pth: there is no such variable; did you mean app_env_path?"),
    ],
)
def test_bad_input_gets_one_sentence(own, told):
    [sentence] = refused(inventory(**own))
    assert sentence.startswith(told) and "secret" not in sentence


def test_all_errors_are_told_at_once():
    own = {"app_env": {"REDIS_URL": "x", "A-B": 1}, "app_env_deployment": "x", "app_env_path": "x", "app_env_user": "x"}
    assert len(refused(inventory(**own))) == 5


def test_a_deployment_has_to_be_chosen_where_there_are_several():
    arguments = inventory()
    arguments[2]["sessions"] = arguments[2]["cache"]
    assert refused(arguments) == ["app_env_deployment: is missing; write one of cache, sessions"]


def test_a_server_has_to_be_chosen_where_each_stands_alone():
    arguments = inventory("replication")
    arguments[2]["cache"]["mode"] = "standalone"
    [told] = refused(arguments)
    assert told.startswith("app_env_primary: is missing") and told.endswith("redis1, redis2, redis3")
    arguments[1]["app1"]["app_env_primary"] = "redis3"
    assert values(*arguments)["REDIS_URL"] == "redis://10.0.0.3:6379/0"


def test_sentinels_know_the_primary():
    assert "leave it out" in refused(inventory("sentinel", app_env_primary="redis1"))[0]


def test_the_same_sentence_of_two_hosts_stands_once():
    _host, hostvars, *others = inventory(app_env_path="x")
    hostvars["app2"] = hostvars["app1"]
    [told] = app_env.errors(["app1", "app2"], hostvars, *others)
    assert told.endswith("[app1, app2]")


def test_two_applications_of_a_machine_do_not_write_one_file():
    _host, hostvars, *others = inventory()
    hostvars["app1"]["ansible_host"] = "10.0.0.9"
    hostvars["app2"] = dict(hostvars["app1"])
    assert app_env.errors(["app1", "app2"], hostvars, *others) == [
        "app_env_path: /srv/app/.env of 10.0.0.9 would be written for two applications; give each its own [app1, app2]"
    ]


@pytest.mark.parametrize(("port", "same"), [(22, True), (23, False), (2222, False)])
def test_a_machine_is_an_address_and_its_port(port, same):
    """Where no port is written it is that of SSH."""
    _host, hostvars, *others = inventory()
    hostvars["app2"] = {**hostvars["app1"], "ansible_port": port}
    assert bool(app_env.errors(["app1", "app2"], hostvars, *others)) is same


def test_two_files_of_a_machine_are_no_error():
    _host, hostvars, *others = inventory()
    hostvars["app2"] = {**hostvars["app1"], "app_env_path": "/srv/other/.env"}
    hostvars["app3"] = {**hostvars["app1"], "ansible_host": "10.0.0.8"}
    assert app_env.errors(["app1", "app2", "app3"], hostvars, *others) == []
    hostvars["app2"]["app_env_path"] = "/srv/./app/.env"
    [told] = app_env.errors(["app1", "app2", "app3"], hostvars, *others)
    assert told.endswith("[app1, app2]")


def test_filters_are_what_a_playbook_asks_for():
    filters, (host, *others) = FilterModule().filters(), inventory(app_env_path="x")
    assert filters["app_env_errors"]([host], *others) == app_env.errors([host], *others) != []
    assert filters["app_env_file"](*inventory()) == app_env.file(*inventory())
    assert filters["env_lines"]({"A": 1}) == ["A=1"]


# -- the playbook


def play(folder, groups, *options):
    """Run the playbook on this machine, with an inventory of these groups."""
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": groups}}), encoding="utf-8")
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", folder / "hosts.yml", "-c", "local"]
    command += ["-e", f"ansible_python_interpreter={sys.executable} ansible_become=false", *options]
    surroundings = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    command.append(ROOT / "playbooks/app_env.yml")
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def groups(folder, **own):
    account = {"app_env_owner": folder.owner(), "app_env_group": folder.group(), "app_env_path": f"{folder}/srv/.env"}
    server = {
        "redis_deployment": "cache",
        "redis_password": "it's a $ecret {{ '{{' }}",
        "redis_bind": ["127.0.0.1", "10.0.0.1"],
    }
    return {
        "app": {"hosts": {"app1": {**account, **own}}},
        "redis": {"children": {"cache": {"hosts": {"redis1": {"ansible_host": "10.0.0.1", **server}}}}},
    }


def test_the_file_is_written_once_and_shows_no_secret(tmp_path):
    wanted, path = groups(tmp_path, app_env={"TOKEN": "to ken"}), tmp_path / "srv/.env"
    code, output = play(tmp_path, wanted, "--check", "--diff")
    assert code == 0 and "changed=1" in output and not path.exists(), output
    code, output = play(tmp_path, wanted, "--diff", "-vvv")
    assert code == 0 and "changed=1" in output, output
    assert "a $ecret" not in output and "to ken" not in output
    assert path.stat().st_mode & 0o7777 == 0o600
    found = dotenv.dotenv_values(path)
    assert found["REDIS_PASSWORD"] == "it's a $ecret {{" and found["TOKEN"] == "to ken"
    assert found["REDIS_URL"] == "redis://10.0.0.1:6379/0" and found["CACHE_DEFAULT_TTL"] == "3600"
    code, output = play(tmp_path, wanted, "--diff")
    assert code == 0 and "changed=0" in output, output


@pytest.mark.parametrize(("group", "says"), [("app", "group app;"), ("redis", "groups redis and citus;")])
def test_a_missing_group_is_told(group, says, tmp_path):
    some = groups(tmp_path)
    code, output = play(tmp_path, {name: value for name, value in some.items() if name != group})
    assert code != 0 and f"The inventory has no host in the {says}" in " ".join(output.split())


CLUSTER = {"coordinator": {"host": "db1", "address": "10.0.0.9", "port": 5432}, "database": "chat", "role": "chat_app"}


@pytest.mark.parametrize(
    ("mode", "options", "ca"),
    [
        (None, "?sslmode=verify-full&sslrootcert=/srv/app/citus-ca.crt", "/srv/app/citus-ca.crt"),
        ("require", "?sslmode=require", ""),
    ],
)
def test_the_database(mode, options, ca):
    host, hostvars, deployments, baseline = inventory(**({"app_env_database_sslmode": mode} if mode else {}))
    hostvars["db1"] = {"citus_password": "it's: sixteen/@ lett?rs #"}
    file = app_env.file(host, hostvars, deployments, baseline, CLUSTER)
    secret = "it%27s%3A%20sixteen%2F%40%20lett%3Frs%20%23"
    assert file["values"]["DATABASE_URL"] == f"postgresql://chat_app:{secret}@10.0.0.9:5432/chat{options}"
    assert file["ca"] == ca and file["values"]["REDIS_URL"]
    assert psycopg.conninfo.conninfo_to_dict(file["values"]["DATABASE_URL"])["password"] == "it's: sixteen/@ lett?rs #"


def test_a_database_alone():
    host, hostvars, _deployments, baseline = inventory()
    hostvars["db1"] = {"citus_password": "sixteen letters."}
    values = app_env.file(host, hostvars, {}, baseline, CLUSTER)["values"]
    assert "REDIS_URL" not in values and values["DATABASE_URL"].startswith("postgresql://chat_app:")


def test_a_mode_without_tls_is_refused():
    host, hostvars, deployments, baseline = inventory(app_env_database_sslmode="prefer")
    with pytest.raises(app_env.Wrong, match="app_env_database_sslmode: must be require or verify-ca or verify-full"):
        app_env.file(host, hostvars, deployments, baseline, CLUSTER)


def test_a_mistake_is_told_with_its_line_and_nothing_is_written(tmp_path):
    code, output = play(tmp_path, groups(tmp_path, app_env={"REDIS_URL": "x", "A": "{{ nope }}"}))
    assert code != 0 and not (tmp_path / "srv").exists()
    assert "\n        - REDIS_URL in app_env (" in output and "hosts.yml:" in output
    assert "A in app_env" in output and "cannot be evaluated: 'nope' is undefined [app1]" in output


def test_the_baseline_of_an_application_rides_out_a_failover():
    """Who waits for a primary that is gone gets a timeout, and the new one at the next try."""
    baseline = role_files.derived("app_env")["__app_env_baseline"]
    assert baseline["REDIS_RETRY_ON_TIMEOUT"] is True and baseline["CACHE_ENABLED"] is True


def test_the_baseline_of_an_application_is_the_guides():
    baseline = {"REDIS_MAX_CONNECTIONS": 20, "REDIS_RETRY_ON_TIMEOUT": True, "CACHE_ENABLED": True}
    assert role_files.derived("app_env")["__app_env_baseline"] == baseline
