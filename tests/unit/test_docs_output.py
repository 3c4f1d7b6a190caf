"""What pages show of a run is what a run prints, and the settings that they show can be written.

A block behind `<!-- output: name -->`, or inline code there, is made by the function of this name and compared with
the page. What a page quotes of a run otherwise, in a table below `it says`, is looked for in the code.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible_collections.cistern.core.plugins.callback.steps import CallbackModule
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.describe import describe
from ansible_collections.cistern.core.plugins.module_utils.redis.instance.plan import plan
from ansible_collections.cistern.core.plugins.plugin_utils.app_env import dotenv
from ansible_collections.cistern.core.plugins.plugin_utils.common import role_files
from ansible_collections.cistern.core.plugins.plugin_utils.doctor import report as doctor_report
from deep_merge import deep_merge
from doctor_evidence import judged
from instance_usual import usual

ROOT = Path(__file__).resolve().parents[2]
# docs/reference is generated, and test_contract.py compares it with the code.
GENERATED = {*ROOT.glob("docs/reference/*")}
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("inventories/*/README.md")} - GENERATED)
FENCED = re.compile(r"(?:<!-- output: (?P<name>[\w-]+) -->\s*)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
INLINE = re.compile(r"<!-- output: (?P<name>[\w-]+) -->`(?P<text>[^`\n]+)`")
INDENTED = re.compile(r"(?:^\n|\A)((?:^ {4}.*\n)+)", re.M)
# How the one block of text begins that no command prints.
MAP = "inventories/    lab"
TYPED = re.compile(
    r"\.\.\. (-e|--limit)|\. \.venv/|[A-Z_]+=|(amtool|ansible-playbook|ansible-vault|df|free|grep|ip|journalctl"
    r"|lab/hosts\.py|last|ls|make|pg_lsclusters|ping|promtool|ps|psql|read|redis-cli|ssh|sudo|systemctl|timedatectl|top)\b"
)


def named(path):
    return str(path.relative_to(ROOT))


def text_of(path):
    return path.read_text(encoding="utf-8")


def fenced():
    return [(page, found) for page in PAGES for found in FENCED.finditer(text_of(page))]


def outputs():
    inline = [(page, found) for page in PAGES for found in INLINE.finditer(text_of(page))]
    return {found["name"]: found["text"] for _page, found in [*fenced(), *inline] if found["name"]}


# -- what makes an output


@pytest.fixture
def refused(tmp_path):
    """Run a playbook with the inventory of development, of which some files are written anew; return what it says."""
    for name in ("ansible.cfg", "collections", "playbooks", "plugins", "roles", "templates"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories/dev", tmp_path / "inventories/dev")

    def run(playbook, **files):
        for name, text in files.items():
            (tmp_path / f"inventories/dev/group_vars/{name}.yml").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventories/dev", f"playbooks/{playbook}.yml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "ANSIBLE_SSH_EXECUTABLE": "/bin/false", "ANSIBLE_NOCOLOR": "1"},
        )
        assert done.returncode and "UNREACHABLE" not in done.stdout
        [told] = re.findall(r"^    msg: \|-\n((?:^ {8}.*\n)+)", done.stdout, re.M)
        return re.sub(r"^ {8}", "", told, flags=re.M)

    return run


FIVE_MISTAKES = """---
redis_password: short
redis_prot: 6380
redis_config:
  maxmemroy: 64mb
  maxmemory-policy: lru
  port: 6380
"""
CITUS_WITH_ANOTHER_POSTGRESQL = """---
postgresql_version: "14"
citus_version: "13.2"
citus_password: development-password-only
citus_clients: [192.0.2.0/24]
"""


def printed(**result):
    """What the callback of the toolkit prints below the host redis1."""
    lines = []
    callback = SimpleNamespace(_display=SimpleNamespace(display=lines.append))
    CallbackModule._report(callback, SimpleNamespace(result=result, host=SimpleNamespace(get_name=lambda: "redis1")))
    return "".join(f"{line}\n" for line in lines)


def steps(**have):
    want, found = usual()
    return [describe(step) for step in plan(want, deep_merge(found, have))]


def settings_changed_by_hand():
    right, wrong = ({"maxmemory": "67108864", "timeout": "300"}, {"maxmemory": "10485760", "timeout": "0"})
    return printed(steps=steps(wanted=right, on_disk=right, running=wrong))


def findings_of_the_doctor():
    refusal = {"login": "refused", "role": "", "words": "WRONGPASS invalid username-password pair or user is disabled."}
    app = {"differs": ["REDIS_PASSWORD"], "redis": {"192.0.2.11 6379": refusal}}
    return printed(report=doctor_report.lines(*judged({"have": {"watch1": {"app": app}}})))


OUTPUTS = {
    "five-mistakes": lambda refused: refused("site", **{"all/redis": FIVE_MISTAKES}),
    "citus-refuses-postgresql": lambda refused: refused("citus", **{"citus/citus": CITUS_WITH_ANOTHER_POSTGRESQL}),
    "settings-changed-by-hand": lambda _refused: settings_changed_by_hand(),
    "restart": lambda _refused: steps(wanted={"databases": "32"})[-1],
    "doctor": lambda _refused: findings_of_the_doctor(),
    "env-with-a-dollar": lambda _refused: "\n".join(dotenv.lines({"REDIS_PASSWORD": "it's $ixteen letters"})) + "\n",
}


@pytest.mark.parametrize("name", sorted({*OUTPUTS, *outputs()}))
def test_output_is_what_is_printed(name, refused):
    assert outputs()[name] == OUTPUTS[name](refused)


def test_each_block_of_text_is_an_output():
    told = [found for _page, found in fenced() if found["kind"] == "text" and not found["text"].startswith(MAP)]
    assert told and [found["text"] for found in told if not found["name"]] == []


def test_the_map_is_of_what_there_is():
    [text] = [found["text"] for _page, found in fenced() if found["text"].startswith(MAP)]
    folders = re.findall(r"(?:^|  )([\w/]+/)  ", text, re.M)
    assert len(folders) >= 12 and [name for name in folders if not (ROOT / name).is_dir()] == []


def test_each_other_block_is_of_a_language():
    assert [named(page) for page, found in fenced() if not found["kind"]] == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_an_indented_block_is_what_somebody_types(path):
    blocks = INDENTED.findall(FENCED.sub("", text_of(path)))
    lines = [line for block in blocks for line in block.splitlines()]
    assert [line for line in lines if not TYPED.match(line.strip())] == []


# -- what is quoted of a run


def texts():
    """Each text of the code; what is put in when it runs, and each number, is a NUL."""
    for path in ROOT.glob("plugins/**/*.py"):
        nodes = list(ast.walk(ast.parse(text_of(path))))
        comments = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        for node in nodes:
            if id(node) in comments:
                continue
            if isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"{\w*}", "\0", node.value)


CODE = {re.sub(r"\d+", "\0", text) for text in texts()}


def quoted():
    """{(page, what a run says)}: cells below `it says`, and what follows `the run says:`."""
    for page in PAGES:
        text = text_of(page)
        for table in re.findall(r"^\| it says \|.*\n(?:\|.*\n)+", text, re.M):
            for row in table.splitlines()[2:]:
                cell = row.split("|")[1].strip()
                if not cell.startswith("`"):  # words of Redis
                    yield page, cell
        yield from ((page, said) for said in re.findall(r"\b(?:A|the) run says:\s`([^`]+)`", text))


def test_pages_quote():
    assert len(list(quoted())) >= 25


@pytest.mark.parametrize(
    ("page", "said"), list(quoted()), ids=lambda value: named(value) if isinstance(value, Path) else value
)
def test_what_is_quoted_of_a_run_is_in_the_code(page, said):
    """A sentence may be put together from several texts: behind a colon, and where it is one of some (`; ... `)."""
    for part in re.split(r": |; \.\.\. ", re.sub(r"\d+", "\0", said)):
        pattern = re.compile(".*".join(re.escape(words) for words in part.split("...")), re.DOTALL)
        assert any(pattern.search(text) for text in CODE), part


# -- settings


def blocks(kind):
    found = [(page, found["text"]) for page, found in fenced() if found["kind"] == kind]
    return pytest.mark.parametrize(
        ("page", "text"), found, ids=lambda value: named(value) if isinstance(value, Path) else ""
    )


OPTIONS = {name for path in ROOT.glob("roles/*/meta") for name in role_files.options(path.parent.name)}
OF_A_ROLE = re.compile(rf"({'|'.join(path.name for path in ROOT.glob('roles/*'))}|postgresql)_")


def variables(value):
    """Yield each key that is called as a variable is; a group of hosts is none."""
    if not isinstance(value, dict):
        return
    for name, below in value.items():
        if isinstance(below, dict) and {"hosts", "children"} & {*below}:
            yield from variables(below.get("hosts") or below["children"])
        else:
            if OF_A_ROLE.match(str(name)):
                yield name
            yield from variables(below)


@blocks("yaml")
def test_yaml_can_be_written(page, text):
    value = yaml.safe_load(text)
    assert isinstance(value, dict)
    assert [name for name in variables(value) if name not in OPTIONS] == []


@blocks("python")
def test_python_compiles(page, text):
    compile(text, named(page), "exec")


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_variables_of_commands_exist(path):
    names = re.findall(r"-e '?([a-z_]+)=", text_of(path))
    assert [name for name in names if OF_A_ROLE.match(name) and name not in OPTIONS] == []
