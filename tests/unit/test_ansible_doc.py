"""What ansible-doc says: everything that the collection has is documented, and an example gives what is said of it."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import jinja2.nativetypes
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NAME = "ansible_collections.cistern.core.plugins.filter."
FILTERS = {
    name: function
    for path in sorted(ROOT.glob("plugins/filter/*.py"))
    for name, function in importlib.import_module(NAME + path.stem).FilterModule().filters().items()
}
ACTIONS = sorted(path.stem for path in ROOT.glob("plugins/action/*.py"))
NAMES = {
    "module": sorted({*ACTIONS, *(path.stem for path in ROOT.glob("plugins/modules/*.py"))}),
    "filter": sorted(FILTERS),
    "role": sorted(path.parents[1].name for path in ROOT.glob("roles/*/meta/argument_specs.yml")),
    "callback": sorted(path.stem for path in ROOT.glob("plugins/callback/*.py")),
}
# Actions that have no module: the file of that name is their page.
ON_THE_CONTROLLER = [
    name for name in ACTIONS if "AnsibleModule(" not in (ROOT / f"plugins/modules/{name}.py").read_text("utf-8")
]
# What they return depends on files of the controller.
READ_FILES = {"cache_package", "citus_text_of", "citus_trusted", "monitoring_own_files"}


@cache
def told(kind):
    """Return what ansible-doc says of all of a kind, by name; a warning is a failure."""
    command = [Path(sys.executable).with_name("ansible-doc"), "-t", kind, "-j"]
    names = [f"cistern.core.{name}" for name in NAMES[kind]]
    done = subprocess.run([*command, *names], cwd=ROOT, capture_output=True, text=True)
    # ansible-core 2.21 warns of a collection within itself
    warnings = [text for text in done.stderr.splitlines() if "/ansible/_internal/ansible_collections/" not in text]
    assert (done.returncode, warnings) == (0, [])
    return {name.removeprefix("cistern.core."): each for name, each in json.loads(done.stdout).items()}


@pytest.mark.parametrize("kind", NAMES)
def test_everything_is_documented(kind):
    assert len(NAMES[kind]) > 0
    assert sorted(told(kind)) == NAMES[kind]


def test_no_documentation_is_of_a_filter_that_there_is_not():
    assert {path.stem for path in ROOT.glob("plugins/filter/*.yml")} == set(FILTERS)


@pytest.mark.parametrize("kind, name", [(kind, name) for kind in ("module", "filter") for name in NAMES[kind]])
def test_documentation_has_its_parts(kind, name):
    each = told(kind)[name]
    assert each["doc"]["short_description"] and each["doc"]["description"] and each["doc"]["version_added"]
    tasks = yaml.safe_load(each["examples"])
    assert tasks and all(task["name"] for task in tasks)
    if kind == "module":
        assert all(f"cistern.core.{name}" in task for task in tasks)


@pytest.mark.parametrize("name", NAMES["role"])
def test_every_entry_point_of_a_role_is_told(name):
    spec = yaml.safe_load((ROOT / f"roles/{name}/meta/argument_specs.yml").read_text(encoding="utf-8"))
    entries = told("role")[name]["entry_points"]
    assert set(entries) == set(spec["argument_specs"])
    assert all(each["short_description"] and each["description"] for each in entries.values())


def test_what_a_playbook_enters_is_told():
    # parts of redis.yml, whose variables are those of main
    within = {("redis", "observe"), ("redis", "converge"), ("redis", "sentinel")}
    texts = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("playbooks/*.yml"))
    entered = set(re.findall(r"name: (?:cistern\.core\.)?(\w+)\n\s+tasks_from: (\w+)", texts))
    assert within < entered
    assert {(role, entry) for role in NAMES["role"] for entry in told("role")[role]["entry_points"]} >= entered - within


# -- actions without a module


@pytest.mark.parametrize("name", ON_THE_CONTROLLER)
def test_an_action_takes_what_its_page_says(name):
    source = (ROOT / f"plugins/action/{name}.py").read_text(encoding="utf-8")
    taken = set(re.findall(r"\bargs(?:\.get\(|\[)\"(\w+)\"", source))
    assert set(told("module")[name]["doc"]["options"]) == taken


# -- filters


@pytest.mark.parametrize("name", FILTERS)
def test_options_of_a_filter_are_its_parameters(name):
    doc = told("filter")[name]["doc"]
    first, *others = inspect.signature(FILTERS[name]).parameters.values()
    assert set(doc["options"]) == {"_input", *[each.name for each in others]}
    assert doc.get("positional", "") == ", ".join(each.name for each in others)
    for key, parameter in {"_input": first, **{each.name: each for each in others}}.items():
        option = doc["options"][key]
        assert option["type"] and option["description"]
        assert ("elements" in option) == (option["type"] == "list")
        assert bool(option.get("required")) == (parameter.default is inspect.Parameter.empty)
        if not option.get("required"):
            assert option.get("default") == parameter.default


@pytest.mark.parametrize("name", [name for name in FILTERS if name not in READ_FILES])
def test_the_example_of_a_filter_returns_what_it_says(name):
    each = told("filter")[name]
    [task] = yaml.safe_load(each["examples"])
    environment = jinja2.nativetypes.NativeEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters = {f"cistern.core.{known}": function for known, function in FILTERS.items()}
    message = task["ansible.builtin.debug"]["msg"]
    assert f"| cistern.core.{name}" in message
    returned, said = environment.from_string(message).render(task.get("vars", {})), each["return"]["_value"]
    assert returned == said["sample"]
    assert type(returned).__name__ == said["type"]


def test_those_that_read_files_are_still_there():
    assert set(FILTERS) > READ_FILES
