"""What the repository promises about itself: one source of each fact, files in their places, short enough to read."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible_collections.cistern.core.plugins.plugin_utils import (
    redis_directives,
    redis_instance,
    redis_inventory,
    redis_schema,
    redis_variables,
)

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles/redis"
TEMPLATES = sorted(path for path in ROLE.glob("templates/**/*") if path.is_file())
PLAYBOOKS = sorted(ROOT.glob("playbooks/*.yml"))
MODULES = sorted(path.stem for path in ROOT.glob("plugins/modules/*.py"))
SCENARIOS = sorted(path for path in ROOT.glob("molecule/*") if path.is_dir() and path.name != "shared")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("inventories/*/README.md")])
LAYERS = {"redis_config": "all", "redis_group_config": "group", "redis_host_config": "host"}


def named(path):
    return str(path.relative_to(ROOT))


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_nothing_below_is_vacuous():
    assert len(TEMPLATES) >= 7 and len(PLAYBOOKS) >= 3 and len(MODULES) >= 2 and SCENARIOS and len(PAGES) >= 8


# -- variables


def test_defaults_are_what_the_specification_says():
    defaults, options = load(ROLE / "defaults/main.yml"), redis_schema.options()
    main = load(ROLE / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert set(defaults) == {name for name, option in main.items() if not option.get("required")}
    for name, value in defaults.items():
        if isinstance(value, str) and re.search(r"{{ (?!'/'|'-')", value):
            # it is what another variable says: the text names that one
            used = set(re.findall(r"\b(?:redis|ansible)_\w+", value))
            assert used & set(re.findall(r"\w+", options[name]["default"])), name
            continue
        if isinstance(value, str) and "{{" in value:
            unnamed, with_name = (jinja2.Template(value).render(redis_instance=instance) for instance in ("", "NAME"))
            value = f"{unnamed}, or {with_name} for a named instance"
        assert options[name]["default"] == value, name
        assert type(options[name]["default"]) is type(value), name


def test_defaults_pass_the_check():
    literal = {name: value for name, value in load(ROLE / "defaults/main.yml").items() if "{{" not in str(value)}
    instance = redis_instance.Instance(
        name="one",
        machine=("one", 22),
        origins={},
        broken={},
        baseline={},
        values={**literal, "redis_deployment": "cache", "redis_password": "sixteen letters."},
    )
    assert redis_inventory.check([instance], redis_schema.options(), redis_schema.load()) == ([], [])


def test_directives_of_the_role_are_in_the_schema():
    derived, schema = load(ROLE / "vars/main.yml"), redis_schema.load()
    assert set(derived["__redis_baseline"]) | set(derived["__redis_computed"]) <= set(schema)
    assert set(derived["__redis_computed"]) <= set(redis_variables.COMPUTED) <= set(schema)
    for version in redis_directives.COVERED:
        assert redis_directives.problems(derived["__redis_baseline"], schema, version) == []


def test_generated_reference_is_what_the_code_says():
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# -- where a layer of settings may stand


def inventory_layers(path):
    """(layer, level, file) of every layer in the files of one inventory; what a vault hides is not looked into."""
    for file in sorted(path.glob("*_vars/**/*")):
        if not file.is_file() or file.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT"):
            continue
        kind, name = file.relative_to(path).parts[:2]
        level = "host" if kind == "host_vars" else "all" if name.split(".")[0] == "all" else "group"
        yield from ((layer, level, file) for layer in LAYERS if layer in (load(file) or {}))
    for file in [*path.glob("hosts.yml"), *path.glob("inventory.yml")]:
        yield from ((layer, level, file) for layer, level in in_groups(load(file), "all"))


def in_groups(groups, level):
    for name, group in (groups or {}).items():
        at = "all" if name == "all" else "group"
        yield from ((layer, at) for layer in LAYERS if layer in ((group or {}).get("vars") or {}))
        for values in ((group or {}).get("hosts") or {}).values():
            yield from ((layer, "host") for layer in LAYERS if layer in (values or {}))
        yield from in_groups((group or {}).get("children"), "group")


def test_layers_of_settings_stand_where_they_belong():
    found = [each for path in [*ROOT.glob("inventories/*"), *SCENARIOS] for each in inventory_layers(path)]
    assert {"redis_config", "redis_group_config"} <= {layer for layer, _level, _file in found}
    assert [(layer, named(file)) for layer, level, file in found if level != LAYERS[layer]] == []


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("all: {vars: {redis_config: {}}}", [("redis_config", "all")]),
        ("all: {children: {redis: {children: {cache: {vars: {redis_config: {}}}}}}}", [("redis_config", "group")]),
        ("all: {children: {redis: {hosts: {one: {redis_host_config: {}}, two: }}}}", [("redis_host_config", "host")]),
    ],
)
def test_layers_are_found(text, layers):
    assert list(in_groups(yaml.safe_load(text), "all")) == layers


# -- templates


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_is_used(path):
    sources = [*ROLE.glob("tasks/*.yml"), *ROLE.glob("vars/*.yml")]
    name = str(path.relative_to(ROLE / "templates"))
    assert any(re.search(rf"template: {re.escape(name)}\b", source.read_text(encoding="utf-8")) for source in sources)


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_template_says_on_top_what_changes_it(path):
    text = path.read_text(encoding="utf-8")
    used = {node.name for node in jinja2.Environment(autoescape=True).parse(text).find_all(jinja2.nodes.Name)}
    header = re.match(r"(#.*\n)*", text)[0]
    assert header.startswith("# Written by Cistern")
    told = {name for name in redis_schema.options() if re.search(rf"\b{name}\b", header)}
    assert told, "names no variable"
    assert used & set(redis_schema.options()) <= told


def unused(folder, sources):
    """The templates of a folder that no source names."""
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in text]


def test_shared_templates_are_used():
    # While there is none, .gitkeep keeps the folder; beside a template it is litter.
    names = sorted(path.name for path in (ROOT / "templates").rglob("*") if path.is_file())
    if names != [".gitkeep"]:
        assert unused(ROOT / "templates", [*PLAYBOOKS, *ROOT.glob("roles/*/*/*.yml")]) == []


def test_unused_templates_are_found(tmp_path):
    folder, source = tmp_path / "templates", tmp_path / "play.yml"
    folder.mkdir()
    (folder / "used.j2").touch()
    (folder / "idle.j2").touch()
    source.write_text("template: {src: used.j2}", encoding="utf-8")
    assert unused(folder, [source]) == ["idle.j2"]


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
    documented = yaml.safe_load(module.DOCUMENTATION)
    assert documented["module"] == name
    assert option_facts(documented["options"]) == option_facts(taken)


def option_facts(options):
    keys = ("type", "elements", "required", "default", "choices")
    return {
        name: [{key: option[key] for key in keys if key in option}, option_facts(option.get("options", {}))]
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_documentation_of_a_module_is_whole(name):
    """A comma in {description: One, two.} cuts the sentence and makes a key of its rest."""
    module = importlib.import_module(f"ansible_collections.cistern.core.plugins.modules.{name}")
    entries = [*flat(yaml.safe_load(module.DOCUMENTATION)["options"]), *yaml.safe_load(module.RETURN).items()]
    known = {"description", "type", "elements", "required", "default", "choices", "options", "returned", "sample"}
    assert [(where, key) for where, entry in entries for key in entry if key not in known] == []
    assert yaml.safe_load(module.EXAMPLES)


def flat(options):
    for name, option in options.items():
        yield name, option
        yield from flat(option.get("options", {}))


# -- sizes

LIMITS = {"roles/*/tasks/*.yml": 100, "roles/*/tasks/main.yml": 55, "plugins/*/*.py": 250}


@pytest.mark.parametrize("pattern", LIMITS)
def test_files_can_be_read_at_once(pattern):
    files = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.glob(pattern)}
    assert files
    assert {name: lines for name, lines in files.items() if lines > LIMITS[pattern]} == {}


# -- playbooks and scenarios


def header_of(path):
    return "\n".join(re.findall(r"^#.*", path.read_text(encoding="utf-8").split("\n- ")[0], re.MULTILINE))


@pytest.mark.parametrize("path", PLAYBOOKS, ids=named)
def test_playbook_says_on_top_how_to_run_it(path):
    header = header_of(path)
    assert f"ansible-playbook -i inventories/<environment> {named(path)}" in header
    told = re.search(r"Tags: ([\w, ]+)\.", header)
    assert told, "names no tags"
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventories/dev", "--list-tags", path]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tags = {tag for line in re.findall(r"TASK TAGS: \[(.*)\]", listed) for tag in line.split(", ") if tag}
    assert set(told[1].split(", ")) == tags - {"always", "never"}


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


# -- pages for people


def targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def code_in(text):
    """Inline code, and each line of a block."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return inline + [line.strip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_make_commands_exist(path):
    lines = code_in(path.read_text(encoding="utf-8"))
    told = {found[1] for line in lines if (found := re.match(r"make ([a-z]+)", line))}
    assert told <= targets()
    assert path.name != "README.md" or path.parent != ROOT or {"up", "test"} <= told


def path_of(word):
    """The path below the root that inline code names, a placeholder as *; None where it is something else."""
    pattern = re.sub(r"<[^>]*>|NAME|\*+", "*", word).rstrip("/")
    known = {path.name for path in ROOT.iterdir()}
    return pattern if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+", pattern) and pattern.split("/")[0] in known else None


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_paths_in_pages_exist(path):
    words = [word for line in code_in(path.read_text(encoding="utf-8")) for word in line.split()]
    assert [word for word in words if path_of(word) and not list(ROOT.glob(path_of(word)))] == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_in_pages_lead_somewhere(path):
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"https?:", link):
            continue
        file, _sep, anchor = link.partition("#")
        target = (path.parent / file) if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def anchors(page):
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_readme_is_short_and_names_paths():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    assert len({path_of(word) for line in code_in(text) for word in line.split()} - {None}) >= 15
