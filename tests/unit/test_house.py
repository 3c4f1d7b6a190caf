"""The house: which package may import which, that none runs in a circle, and that what is secret is listed once."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.cistern.core.plugins.module_utils.host import secrets
from ansible_collections.cistern.core.plugins.plugin_utils.redis import schema as redis_schema

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
NAME = "ansible_collections.cistern.core.plugins."
SHARED = ("module_utils", "plugin_utils")
# Beside itself and what is everybody's (host/ on a host, common/ on the controller, and the domain of the same name on
# the other side) a domain imports these.
MORE = {
    # the programs of a cache, and the doctor, ask servers of Redis
    "module_utils/cache": {"redis"},
    "module_utils/doctor": {"redis"},
    "plugin_utils/cache": {"redis", "app_env"},  # a time to live is named by a variable of the .env
    "plugin_utils/app_env": {"redis"},  # how a client finds a server goes by the mode of its deployment
    "plugin_utils/doctor": {"redis", "app_env"},  # what an application's .env has to be
}


def modules():
    return {path: path.relative_to(PLUGINS).with_suffix("").parts for path in sorted(PLUGINS.rglob("*.py"))}


def imports(path, parts):
    """Yield what a file imports of the plugins, as parts of a path; of `from package import module` the module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = [*parts[: len(parts) - node.level], *(node.module or "").split(".")]
        elif (node.module or "").startswith(NAME):
            base = node.module.removeprefix(NAME).split(".")
        else:
            continue
        base = [part for part in base if part]
        for alias in node.names:
            name = [*base, alias.name]
            yield tuple(name if PLUGINS.joinpath(*name).with_suffix(".py").exists() or _is_package(name) else base)


def _is_package(parts):
    return PLUGINS.joinpath(*parts).is_dir()


def test_packages_import_what_is_below_them():
    wrong = []
    for path, parts in modules().items():
        if parts[0] not in SHARED or len(parts) < 3:
            continue
        for target in imports(path, parts):
            kind, domain = target[:2]
            if parts[0] == "module_utils" and kind != "module_utils":
                wrong.append((path.name, target))
            own = {parts[1], "host", *(["common"] if kind == "plugin_utils" else [])}
            if domain not in own | MORE.get("/".join(parts[:2]), set()):
                wrong.append(("/".join(parts), "/".join(target)))
    assert wrong == []


def test_what_everybody_imports_imports_nobody():
    floors = {"module_utils/host": {"host"}, "plugin_utils/common": {"common", "host"}}
    wrong = [
        ("/".join(parts), "/".join(target))
        for path, parts in modules().items()
        if "/".join(parts[:2]) in floors
        for target in imports(path, parts)
        if target[1] not in floors["/".join(parts[:2])]
    ]
    assert wrong == []


def test_redis_alone_needs_no_other_collection():
    """A module is packed with what it imports on top, and `observe` has all domains."""
    wrong = []
    for path, parts in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            name = getattr(node, "module", None) or ""
            if parts[0] in ("module_utils", "modules") and name.startswith("ansible_collections.community"):
                wrong.append(("/".join(parts), name))
    assert wrong == []


def test_a_host_of_the_oldest_python_reads_every_annotation():
    """`X | None` is evaluated there, and fails, unless the file puts that off."""
    wrong = []
    for path, parts in modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        put_off = any(getattr(node, "module", "") == "__future__" for node in tree.body)
        hints = [
            hint
            for node in ast.walk(tree)
            for hint in (getattr(node, "annotation", None), getattr(node, "returns", None))
        ]
        unions = [each for hint in hints if hint for each in ast.walk(hint) if isinstance(each, ast.BinOp)]
        wrong += ["/".join(parts)] if parts[0] in ("module_utils", "modules") and unions and not put_off else []
    assert wrong == []


def test_shared_code_is_in_packages():
    assert [path.name for kind in SHARED for path in (PLUGINS / kind).glob("*.py") if path.name != "__init__.py"] == []


def test_packages_ship_nothing_of_their_own():
    """An import of one module of a package ships its __init__.py too."""
    assert [str(path) for path in PLUGINS.rglob("__init__.py") if path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("of", ["modules", "packages"])
def test_no_import_runs_in_a_circle(of):
    """Between modules Python would stumble over one; between packages, a reader."""
    arrows = {}
    for path, parts in modules().items():
        for target in imports(path, parts):
            ends = [each if of == "modules" else each[:2] for each in (parts, target)]
            if ends[0] != ends[1] and ends[1][0] in SHARED:
                arrows.setdefault(ends[0], set()).add(ends[1])
    assert circle(arrows) == []


def circle(arrows):
    """Return a circle among arrows, [] where there is none."""
    done = set()

    def walk(node, path):
        if node in path:
            return path[path.index(node) :]
        if node not in done:
            for target in sorted(arrows.get(node, ())):
                found = walk(target, [*path, node])
                if found:
                    return found
            done.add(node)
        return []

    return next((found for node in sorted(arrows) if (found := walk(node, []))), [])


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


# -- planners

PLANNERS = sorted(PLUGINS.glob("module_utils/**/plan.py"))


@pytest.mark.parametrize("path", PLANNERS, ids=lambda path: str(path.parent.relative_to(PLUGINS / "module_utils")))
def test_a_planner_says_what_it_takes_and_returns(path):
    """As shapes, which mypy holds against what is observed; a live connection is in none."""
    shapes = ast.parse(path.with_name("contract.py").read_text(encoding="utf-8"))
    named = {node.name for node in shapes.body if isinstance(node, ast.ClassDef)}
    fields = {node.target.id for node in ast.walk(shapes) if isinstance(node, ast.AnnAssign)}
    assert {"Have", "Step"} <= named and not fields & {"client", "connection", "link", "servers"}
    functions = {node.name: node for node in ast.parse(path.read_text(encoding="utf-8")).body if hasattr(node, "args")}
    plan, describe = functions["plan"], functions.get("describe")
    assert [ast.unparse(each.annotation) for each in plan.args.args] == ["Want", "Have"]
    assert ast.unparse(plan.returns) == "list[Step]"
    assert not describe or ast.unparse(describe.args.args[0].annotation) == "Step"


# -- secrets


def test_the_schema_and_the_list_have_the_same_secrets():
    schema = redis_schema.load()
    names = {name for name, spec in schema.items() if spec.get("secret")}
    aliases = {name for name, spec in schema.items() if spec.get("alias") in names}
    assert names | aliases == set(secrets.REDIS)


def test_no_other_file_lists_secrets():
    """A list of its own would miss the next one."""
    own = PLUGINS / "module_utils/host/secrets.py"
    wrong = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if path != own and isinstance(node, (ast.Tuple, ast.List, ast.Set)):
                texts = {each.value for each in node.elts if isinstance(each, ast.Constant)}
                wrong += [path.name] if len(texts & {*secrets.REDIS, *secrets.SENTINEL} - {"user"}) > 1 else []
    assert wrong == []


def test_a_variable_that_is_a_secret_is_named_like_one():
    """What validation hides goes by the name."""
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        for spec in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            for name, option in spec["options"].items():
                says = str(option["description"]).lower()
                if option["type"] == "str" and re.search(r"\b(password|passphrase|token|secret) of\b", says):
                    assert name.endswith(secrets.VARIABLES), name


@pytest.mark.parametrize("name", [*secrets.REDIS, *secrets.SENTINEL])
def test_a_secret_is_shown_nowhere(name):
    assert secrets.shown(name, "geheim") == secrets.HIDDEN
    assert "geheim" not in secrets.masked(f"bad line: {name} cache geheim at line 3")


# -- words: CONTRIBUTING.md has those of now

FORMER = {
    *(
        "ask",
        "asks",
        "asked",
        "said",
        "say",
        "says",
        "tell",
        "tells",
        "told",
        "wish",
        "wishes",
        "parted",
        "laid",
        "walked",
    ),
    *("mend", "mends", "grave", "watcher", "watchers", "turn", "turns", "lead", "leads", "place", "places"),
}
TASKS = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml")]
YAML = [*TASKS, *ROOT.glob("roles/*/vars/**/*.yml"), *ROOT.glob("roles/*/defaults/*.yml")]


def former(name):
    return FORMER & {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def names_of(path):
    """Yield what a file defines: functions, classes, their arguments, and variables."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


@pytest.mark.parametrize("package", ["action", "callback", "filter", "modules", "module_utils", "plugin_utils"])
def test_names_in_code_go_by_the_words_of_now(package):
    paths = sorted(PLUGINS.joinpath(package).rglob("*.py"))
    found = {name for path in paths for name in (path.stem, *names_of(path)) if former(name)}
    assert paths and found == set()


def test_variables_of_roles_go_by_the_words_of_now():
    found = {name for path in YAML for name in re.findall(r"\b__[a-z_]+\b", path.read_text(encoding="utf-8"))}
    assert len(found) > 200 and {name for name in found if former(name)} == set()


def test_names_of_tasks_go_by_the_words_of_now():
    names = [
        name
        for path in TASKS
        for name in re.findall(r"^ *- name: (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    # a place is also what a thing has among others
    found = [
        name
        for name in names
        if former(name) - {"place"} or "inventory says" in name or re.search(r"\bHold .*against", name)
    ]
    assert len(names) > 150 and found == []
