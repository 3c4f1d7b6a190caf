"""What the repository promises about itself: one source of each fact, files in their places, short enough to read."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible_collections.cistern.core.plugins.plugin_utils.citus import inventory as citus_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.citus import node as citus_node
from ansible_collections.cistern.core.plugins.plugin_utils.citus import schema as citus_schema
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.redis import directives as redis_directives
from ansible_collections.cistern.core.plugins.plugin_utils.redis import instance as redis_instance
from ansible_collections.cistern.core.plugins.plugin_utils.redis import inventory as redis_inventory
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema
from ansible_collections.cistern.core.plugins.plugin_utils.redis import variables as redis_variables
from generator.sources import documentation

ROOT = Path(__file__).resolve().parents[2]
REDIS, CITUS = (ROOT / "roles" / name for name in ("redis", "citus"))
ROLES = sorted(path.parents[1] for path in ROOT.glob("roles/*/tasks/main.yml"))
INCLUDED = sorted(path for role in ROLES for path in role.glob("templates/included/*"))
SHARED = sorted(path for path in ROOT.glob("templates/**/*") if path.is_file())
TEMPLATES = sorted({path for role in ROLES for path in role.glob("templates/**/*") if path.is_file()} - {*INCLUDED})
# A page for a browser is written on the controller, as often as somebody asks for it.
FILES = [path for path in TEMPLATES if not path.name.endswith(".html.j2")]
OPTIONS = {role: role_files.options(role.name) for role in ROLES}
# How the specification names the variable of a default that is not the role's own.
WORDS = {"inventory_dir": "folder of the inventory"}
PLAYBOOKS = sorted(ROOT.glob("playbooks/*.yml"))
DOCUMENTED = sorted(path.stem for path in ROOT.glob("plugins/modules/*.py"))
# The others only document an action.
MODULES = [name for name in DOCUMENTED if "AnsibleModule(" in (ROOT / f"plugins/modules/{name}.py").read_text("utf-8")]
# An inventory without a group refuses the playbooks of that group.
HOSTS_OF_ALL_KINDS = ("-i", "inventories/dev", "-i", "molecule/citus/inventory.yml")
SCENARIOS = sorted(path for path in ROOT.glob("molecule/*") if path.is_dir() and path.name != "shared")


def named(path):
    return str(path.relative_to(ROOT))


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_nothing_below_is_vacuous():
    assert (
        len(ROLES) >= 2 and len(TEMPLATES) >= 12 and len(PLAYBOOKS) >= 3 and len(MODULES) >= 2 and SCENARIOS and SHARED
    )


# -- variables


def said_of(value):
    """What the specification says of a default that depends on other variables: words that have to be in it."""
    return {WORDS.get(name, name) for name in re.findall(r"\b(?:redis|citus|postgresql|ansible|inventory)_\w+", value)}


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_defaults_are_what_the_specification_says(role):
    defaults = load(role / "defaults/main.yml")
    main = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert set(defaults) == {name for name, option in main.items() if not option.get("required")}
    for name, value in defaults.items():
        said = main[name]["default"]
        if isinstance(value, str) and re.search(r"{{ (?!'/'|'-')", value):
            assert any(re.search(rf"\b{words}\b", said) for words in said_of(value)), name
            continue
        if isinstance(value, str) and "{{" in value:
            unnamed, with_name = (jinja2.Template(value).render(redis_instance=instance) for instance in ("", "NAME"))
            value = f"{unnamed}, or {with_name} for a named instance"
        assert said == value, name
        assert type(said) is type(value), name


def literal(role):
    return {name: value for name, value in load(role / "defaults/main.yml").items() if "{{" not in str(value)}


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_a_name_is_derived_in_one_file(role):
    """Ansible reads the files of a folder vars/main/ in turn, and the last one would win."""
    names = [name for path in role_files.vars_files(role.name) for name in load(path)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_defaults_of_redis_pass_the_check():
    instance = redis_instance.Instance(
        name="one",
        machine=("one", 22),
        origins={},
        broken={},
        baseline={},
        values={**literal(REDIS), "redis_deployment": "cache", "redis_password": "sixteen letters."},
    )
    assert redis_inventory.check([instance], redis_schema.options(), redis_schema.load()) == ([], [])


def test_defaults_of_citus_pass_the_check():
    values = {**literal(CITUS), "citus_password": "sixteen letters.", "citus_clients": ["192.0.2.0/24"]}
    node = citus_node.Node("one", True, ("one", 22), values=values, origins={}, broken={})
    assert citus_inventory.check([node], citus_schema.options(), citus_schema.settings()) == ([], [])


def test_directives_of_the_role_are_in_the_schema():
    derived, schema = role_files.derived("redis"), redis_schema.load()
    assert set(derived["__redis_baseline"]) | set(derived["__redis_computed"]) <= set(schema)
    assert set(derived["__redis_computed"]) <= set(redis_variables.COMPUTED) <= set(schema)
    for version in redis_directives.COVERED:
        assert redis_directives.problems(derived["__redis_baseline"], schema, version) == []


def test_what_is_generated_is_what_the_code_says():
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("role", ROLES, ids=named)
def test_variables_of_a_role_have_a_page(role):
    source = f"from {named(role)}/meta/argument_specs.yml;"
    assert any(source in path.read_text(encoding="utf-8") for path in ROOT.glob("docs/reference/*.md"))


# -- texts: what -e and an inventory in INI make of a boolean or a number

TYPES = {name: option["type"] for options in OPTIONS.values() for name, option in options.items()}
READERS = [
    path
    for pattern in ("roles/*/tasks/*.yml", "roles/*/vars/**/*.yml", "roles/*/templates/**/*.j2", "playbooks/*.yml")
    for path in sorted(ROOT.glob(pattern))
]
# A number that is only written down may be a text; one that decides may not.
DECIDES = {"bool": r"(?![\w:'])", "int": r"(?=\s+(?:or\b|and\b|if\b|is\b|==|!=|<|>|\+|-|\*|/))"}


def raw_uses(text, kind):
    """Return the lines that use a variable of this type as it comes, where a text would mean something else."""
    names = "|".join(name for name, each in TYPES.items() if each == kind)
    variable = rf"(?:{names})(?:\s*\|\s*default\([^)]*\))?"
    # the option of a module converts its whole value itself
    fine = re.compile(rf"\"{{{{ {variable} }}}}\"|(?<![\w.']){variable}\s*\|\s*{kind}\b")
    raw = re.compile(rf"(?<![\w.']){variable}{DECIDES[kind]}")
    lines = [line for line in text.splitlines() if not re.match(r"\s*(#|- name:|tags:)", line)]
    return [line for line in lines if raw.search(fine.sub("", line))]


@pytest.mark.parametrize("kind", DECIDES)
def test_a_text_is_what_the_check_takes_it_for(kind):
    found = {named(path): raw_uses(path.read_text(encoding="utf-8"), kind) for path in READERS}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_raw_use_is_found():
    assert raw_uses('absent: "{{ not redis_kernel }}"', "bool") and raw_uses("{{ redis_port or 1 }}", "int")
    assert not raw_uses("{{ redis_kernel | bool and x }} {{ redis_port }}", "bool")


# -- templates


def role_of(template):
    return next(role for role in ROLES if role in template.parents)


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_is_used(path):
    role = role_of(path)
    sources = [*role.glob("tasks/*.yml"), *role.glob("vars/**/*.yml")]
    name = str(path.relative_to(role / "templates"))
    assert any(re.search(rf"template: {re.escape(name)}\b", source.read_text(encoding="utf-8")) for source in sources)


def read_by(template, role):
    """Return the names that a template and what it includes read, and the files of those."""
    parsed = jinja2.Environment(autoescape=True).parse(template.read_text(encoding="utf-8"))
    names, included = {node.name for node in parsed.find_all(jinja2.nodes.Name)}, set()
    for node in parsed.find_all(jinja2.nodes.Include):
        places = (role / "templates" / node.template.value, ROOT / "templates" / node.template.value)
        path = next(place for place in places if place.is_file())
        more = read_by(path, role)
        names, included = names | more[0], included | more[1] | {path}
    return names, included


INCLUDES = {path: read_by(path, role_of(path))[1] for path in TEMPLATES}


@pytest.mark.parametrize("path", INCLUDED, ids=named)
def test_what_is_included_is_so_in_two_places(path):
    assert sum(path in included for included in INCLUDES.values()) > 1


@pytest.mark.parametrize("path", SHARED, ids=named)
def test_what_is_shared_is_so_by_two_roles(path):
    assert len({role_of(template) for template, included in INCLUDES.items() if path in included}) > 1


@pytest.mark.parametrize("path", FILES, ids=named)
def test_template_says_on_top_what_changes_it(path):
    text, variables = path.read_text(encoding="utf-8"), set(OPTIONS[role_of(path)])
    used = read_by(path, role_of(path))[0]
    header = re.match(r"(#.*\n)*", text)[0]
    assert header.startswith("# Written by Cistern")
    told = {name for name in variables if re.search(rf"\b{name}\b", header)}
    assert told, "names no variable"
    assert used & variables <= told


# -- modules


@pytest.mark.parametrize("name", MODULES)
def test_module_takes_what_it_documents(name, monkeypatch):
    module = importlib.import_module(f"ansible_collections.cistern.core.plugins.modules.{name}")
    taken = {}

    def caught(argument_spec, **_):
        taken.update(argument_spec)
        raise SystemExit

    monkeypatch.setattr(module, "AnsibleModule", caught)
    with pytest.raises(SystemExit):
        module.main()
    documented = documented_of(name)
    assert documented["module"] == name
    elsewhere = [name for name, each in documented["options"].items() if "M(cistern.core" in str(each["description"])]
    taken = {name: {**each, "options": {}} if name in elsewhere else each for name, each in taken.items()}
    assert option_facts(documented["options"]) == option_facts(taken)


def option_facts(options):
    keys = ("type", "elements", "required", "default", "choices")
    return {
        name: [{key: option[key] for key in keys if key in option}, option_facts(inner_of(option))]
        for name, option in options.items()
    }


PARTS = {
    "instance": "redis_config",
    "sentinel": "redis_sentinel",
    "node": "citus_server",
    "cluster": "citus_node",
    "tables": "citus_table",
    "cache": "systemd_units",
    "exporters": "systemd_units",
}


def test_a_part_that_is_documented_elsewhere_has_those_options():
    """Options of the module observe stand in the documentation of the module that makes the same part."""
    module = module_named("observe")
    for part, other in PARTS.items():
        assert f"M(cistern.core.{other})" in documented_of("observe")["options"][part]["description"]
        options = documented_of(other)["options"]
        taken = option_facts(module.SPEC[part]["options"])
        assert taken.items() <= option_facts(options).items()


def documented_of(name):
    return documentation(ROOT / f"plugins/modules/{name}.py")


def module_named(name):
    return importlib.import_module(f"ansible_collections.cistern.core.plugins.modules.{name}")


def inner_of(option):
    """Options within an option, as a module takes them or as its documentation calls them."""
    return option.get("options") or option.get("suboptions") or {}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documentation_of_a_module_is_whole(name):
    """A comma in {description: One, two.} cuts the sentence and makes a key of its rest."""
    module = importlib.import_module(f"ansible_collections.cistern.core.plugins.modules.{name}")
    entries = [*flat(documented_of(name)["options"]), *yaml.safe_load(module.RETURN).items()]
    known = {"description", "type", "elements", "required", "default", "choices", "suboptions", "returned", "sample"}
    assert [(where, key) for where, entry in entries for key in entry if key not in known] == []
    assert yaml.safe_load(module.EXAMPLES)


def flat(options):
    for name, option in options.items():
        yield name, option
        yield from flat(inner_of(option))


# -- sizes

LIMITS = {"roles/*/tasks/*.yml": 100, "roles/*/tasks/main.yml": 55, "plugins/**/*.py": 250}


@pytest.mark.parametrize("pattern", LIMITS)
def test_files_can_be_read_at_once(pattern):
    files = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.glob(pattern)}
    assert files
    assert {name: lines for name, lines in files.items() if lines > LIMITS[pattern]} == {}


# -- playbooks and scenarios


def header_of(path):
    return "\n".join(re.findall(r"^#.*", path.read_text(encoding="utf-8").split("\n- ")[0], re.MULTILINE))


def tags_below(data, folder):
    """Yield the tags of tasks, and of the task files that they import or include; `folder` is the one they lie in."""
    for each in data if isinstance(data, list) else []:
        yield from each.get("tags", [])
        for name in ("block", "rescue", "always", "tasks"):
            yield from tags_below(each.get(name), folder)
        for action, given in each.items():
            kind = action.rpartition(".")[2]
            if kind in ("import_role", "include_role"):
                below = ROOT / "roles" / given["name"] / "tasks"
                yield from tags_below(load(below / f"{given.get('tasks_from', 'main')}.yml"), below)
            elif kind in ("import_tasks", "include_tasks"):
                name = given if isinstance(given, str) else given["file"]
                # one that a variable names is observed again, without tags of its own
                yield from [] if "{{" in name else tags_below(load(folder / name), folder)
            elif kind == "import_playbook":
                yield from tags_below(load(folder / given), folder)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=named)
def test_playbook_says_on_top_how_to_run_it(path):
    header = header_of(path)
    assert f"ansible-playbook -i inventories/<environment> {named(path)}" in header
    told = re.search(r"Tags: (?:those of ([\w. ]+), such as )?([\w, ]+)\.(?:\s|$)", header)
    assert told, "names no tags"
    tags = set(tags_below(load(path), path.parent))
    imported = re.findall(r"import_playbook: (\S+)", path.read_text(encoding="utf-8"))
    imported = [name for name in imported if not name.endswith("_check.yml") and name != "health.yml"]
    assert (told[1] or "").split(" and ") == (imported or [""])
    # a playbook ends with its health, whatever its tags
    unnamed = {"always", "never"} if path.stem == "health" else {"always", "never", "health"}
    named_tags, listed_tags = set(told[2].split(", ")), tags - unnamed
    assert named_tags < listed_tags if imported else named_tags == listed_tags


@pytest.mark.parametrize("path", SCENARIOS, ids=named)
def test_scenario_has_its_parts(path):
    assert (path / "molecule.yml").is_file()
    hosts = load(path / "inventory.yml")["all"]
    assert hosts["children"] and {"lab_network", "lab_subnet"} <= set(hosts["vars"])


def test_scenarios_have_networks_of_their_own():
    inventories = [load(path / "inventory.yml") for path in SCENARIOS] + [load(ROOT / "inventories/lab/hosts.yml")]
    for name in ("lab_network", "lab_subnet"):
        values = [inventory["all"]["vars"][name] for inventory in inventories]
        assert len(set(values)) == len(values)


def test_no_client_of_a_test_is_less_patient_than_its_call():
    """WAIT and its like take their own limit in milliseconds; a client that gives up first makes a test fail."""
    found = []
    for path in [*ROOT.glob("tests/**/*.py"), *ROOT.glob("bench/*.py")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            for call in re.finditer(r'(.*)\.execute_command\("WAIT", \w+, (\d+)\)', line):
                said = re.search(r"socket_timeout=(\d+)", call[1])
                seconds = int(said[1]) if said else 60 if ".redis(" in call[1] else 0
                found.append((path.name, int(call[2]) / 1000 < seconds))
    assert len(found) >= 3 and all(patient for _name, patient in found), found
