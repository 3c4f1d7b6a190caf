"""What `ansible-galaxy collection build` packs, installed into an empty folder and used with nothing of the checkout.

The tools of the collection's own documentation, changelog, image and rules run here too. What needs a host is tested
elsewhere.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.prefix) / "bin"
PACKAGES = Path(sys.prefix) / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
# ansible-test keeps its environments here, so that only the first run makes them.
STATE = ROOT / "lab/.state/sanity"
SHIPPED = {
    *("CHANGELOG.md", "CONTRIBUTING.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "SECURITY.md"),
    *("bindep.txt", "changelogs", "docs", "meta", "playbooks", "plugins", "roles", "templates"),
}
# Those of ansible-test that need nothing but itself; the others get their tools from PyPI.
ALONE = (
    *("action-plugin-docs", "compile", "empty-init", "ignores", "line-endings", "no-assert", "no-get-exception"),
    *("no-illegal-filenames", "no-smart-quotes", "replace-urlopen", "shebang", "symlinks", "use-argspec-type-path"),
    "use-compat-six",
)
WITH_TOOLS = (
    *("ansible-doc", "changelog", "import", "pep8", "pylint", "runtime-metadata", "validate-modules", "yamllint"),
)
# How this machine reaches PyPI.
FOR_PIP = {name: value for name, value in os.environ.items() if re.match(r"(?i)PIP_|https?_proxy$|no_proxy$", name)}


def run(*command, cwd, home, **environment):
    """Run a program of .venv in a clean environment; return what it prints. What it says of a failure is shown."""
    surroundings = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", **environment}
    began = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False)
    print(f"{time.monotonic() - began:.0f} s: {' '.join(map(str, command))}"[:200])
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return done.stdout


class Place:
    """A folder with the installed collection, and a user who has nothing else."""

    def __init__(self, folder, tarball):
        self.work, self.home, self.collections = (folder / name for name in ("work", "home", "collections"))
        for each in (self.work, self.home, self.collections):
            each.mkdir()
        self.tarball, self.core = tarball, self.collections / "ansible_collections/cistern/core"
        # what it depends on is in .venv, a part of the package ansible
        self.run("ansible-galaxy", "collection", "install", "--no-deps", "--offline", "-p", self.collections, tarball)

    def run(self, *command):
        return run(*command, cwd=self.work, home=self.home, ANSIBLE_COLLECTIONS_PATH=str(self.collections))

    def play(self, text, *options):
        (self.work / "play.yml").write_text(text, encoding="utf-8")
        return self.run("ansible-playbook", "-i", "inventory/hosts.yml", "play.yml", *options)


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    run("ansible-galaxy", "collection", "build", "--output-path", folder, ROOT, cwd=folder, home=folder)
    [made] = folder.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module")
def installed(tmp_path_factory, tarball):
    place = Place(tmp_path_factory.mktemp("installed"), tarball)
    shutil.copytree(ROOT / "inventories/dev", place.work / "inventory")
    return place


# -- what is packed


def test_the_tarball_has_what_is_used_and_nothing_else(tarball):
    with tarfile.open(tarball) as packed:
        names = [member.name for member in packed.getmembers()]
    assert {name.partition("/")[0] for name in names} == SHIPPED
    assert [name for name in names if re.search(r"(^|/)(\.|tests?/|lab/|inventories/|__pycache__)", name)] == []


# -- what an operator does with it


@pytest.mark.parametrize("kind", ["module", "filter", "role", "callback"])
def test_ansible_doc_answers(kind, installed):
    names = json.loads(installed.run("ansible-doc", "-t", kind, "-l", "-j", "cistern.core"))
    told = installed.run("ansible-doc", "-t", kind, "-j", *names)
    assert names and set(json.loads(told)) == set(names)
    assert str(ROOT) not in told and "UNDOCUMENTED" not in names.values()


def test_the_site_can_be_imported(installed):
    listed = installed.play("- import_playbook: cistern.core.site\n", "--list-tasks")
    assert len(re.findall(r"^  play #", listed, re.MULTILINE)) > 5
    assert "TAGS: [citus" in listed


def test_the_check_of_an_inventory_passes(installed):
    told = installed.play("- import_playbook: cistern.core.redis_check\n")
    assert re.search(r"ok=[1-9]\d* +changed=0 +unreachable=0 +failed=0", told)


def test_the_check_of_an_inventory_tells_what_is_wrong(installed):
    with pytest.raises(AssertionError, match="redis_prot.*there is no such variable; did you mean redis_port"):
        installed.play("- import_playbook: cistern.core.redis_check\n", "-e", "redis_prot=1")


@pytest.mark.parametrize("role", sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml")))
def test_a_play_takes_a_role_by_its_full_name(role, installed):
    installed.play(f"- hosts: all\n  roles: [cistern.core.{role}]\n", "--syntax-check")


# -- what collections are held to


def test_the_documentation_keeps_the_rules(installed):
    references = ("--validate-collection-refs", "dependent", "--disallow-unknown-collection-refs")
    installed.run("antsibull-docs", "lint-collection-docs", "--plugin-docs", *references, installed.core)


def test_fragments_make_a_release(tmp_path):
    shutil.copy(ROOT / "galaxy.yml", tmp_path)
    shutil.copytree(ROOT / "changelogs", tmp_path / "changelogs")
    fragment = tmp_path / "changelogs/fragments/of_the_test.yml"
    fragment.write_text("---\nadded: [A change that is only here.]\n", encoding="utf-8")
    run("antsibull-changelog", "lint", cwd=tmp_path, home=tmp_path)
    run("antsibull-changelog", "release", "--version", "99.0.0", cwd=tmp_path, home=tmp_path)
    assert not fragment.exists()
    told = (tmp_path / "changelogs/releases.md").read_text(encoding="utf-8").replace("\\", "")
    assert "## v99.0.0" in told and "* A change that is only here." in told


def test_a_fragment_with_a_section_that_there_is_not_is_found(tmp_path):
    shutil.copy(ROOT / "galaxy.yml", tmp_path)
    shutil.copytree(ROOT / "changelogs", tmp_path / "changelogs")
    (tmp_path / "changelogs/fragments/of_the_test.yml").write_text("---\naded: [A change.]\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="aded"):
        run("antsibull-changelog", "lint", cwd=tmp_path, home=tmp_path)


def test_an_image_can_be_made_of_what_the_collection_needs(tmp_path):
    options = ("-f", ROOT / "execution-environment.yml", "-c", tmp_path / "context")
    run("ansible-builder", "create", *options, cwd=tmp_path, home=tmp_path)
    made = tmp_path / "context/_build"
    wanted = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["dependencies"]
    collections = yaml.safe_load((made / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert {each["name"]: each["version"] for each in collections} == wanted
    assert "cryptography" in (made / "requirements.txt").read_text(encoding="utf-8")
    assert "openssh-client " in (made / "bindep.txt").read_text(encoding="utf-8")


# -- ansible-test sanity, of what is shipped; tests/sanity/ has what is asked for and not done


@pytest.fixture(scope="module")
def sane(tmp_path_factory, tarball):
    """The installed collection beside those that it imports, as ansible-test wants them."""
    place = Place(tmp_path_factory.mktemp("sane"), tarball)
    for name in ("crypto", "postgresql"):
        other = place.collections / "ansible_collections/community" / name
        other.parent.mkdir(exist_ok=True)
        other.symlink_to(PACKAGES / "ansible_collections/community" / name)
    (place.core / "tests").mkdir()
    shutil.copy(ROOT / "tests/config.yml", place.core / "tests")
    shutil.copytree(ROOT / "tests/sanity", place.core / "tests/sanity")
    return place


def sanity(place, tests):
    """Run them on the Python of the controller; the older ones of hosts are not on every machine."""
    python = f"--python={sys.version_info.major}.{sys.version_info.minor}"
    chosen = [f"--test={test}" for test in tests]
    STATE.mkdir(parents=True, exist_ok=True)
    return run("ansible-test", "sanity", "--color=no", python, *chosen, cwd=place.core, home=STATE, **FOR_PIP)


def test_sanity(sane):
    sanity(sane, ALONE)


def test_sanity_finds_an_action_that_nothing_documents(sane):
    added = sane.core / "plugins/action/of_the_test.py"
    added.write_text("", encoding="utf-8")
    try:
        with pytest.raises(AssertionError, match="of_the_test.py.*no matching module"):
            sanity(sane, ["action-plugin-docs"])
    finally:
        added.unlink()


def test_sanity_with_tools_of_its_own(sane, tmp_path):
    """ansible-test makes an environment for each, with pip; that comes with Python, and needs no other download."""
    source = (PACKAGES / "ansible_test/_internal/python_requirements.py").read_text(encoding="utf-8")
    version = re.search(r"pip='([\d.]+)'", source)[1].replace(".", "_")
    start = STATE / f".ansible/test/cache/get_pip_{version}.py"
    start.parent.mkdir(parents=True, exist_ok=True)
    start.write_text("import ensurepip\n\nensurepip.bootstrap()\n", encoding="utf-8")
    there = {path.name for path in STATE.glob(".ansible/test/venv/*")}
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tmp_path, "voluptuous"]
    if not there >= {f"sanity.{test}" for test in WITH_TOOLS} and subprocess.run(command, check=False).returncode != 0:
        pytest.skip("PyPI cannot be reached from here")
    sanity(sane, WITH_TOOLS)
