"""What modules make can be passed by whom it is for, whatever the umask of the session on the host."""

import importlib
import os
import pathlib
import stat

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host import files, folders
from ansible_collections.cistern.core.plugins.modules import cache_warm

# A file without AnsibleModule only documents an action.
MODULES = sorted(
    path.stem
    for path in (pathlib.Path(__file__).parents[3] / "plugins" / "modules").glob("*.py")
    if "AnsibleModule(" in path.read_text(encoding="utf-8")
)


@pytest.fixture
def hardened():
    before = os.umask(0o077)
    yield
    os.umask(before)


class Begun(Exception):
    """The module has come to reading its options."""


@pytest.mark.parametrize("name", MODULES)
def test_a_module_begins_with_the_umask_of_a_system_service(hardened, monkeypatch, name):
    module = importlib.import_module(f"ansible_collections.cistern.core.plugins.modules.{name}")

    def begin(*_arguments, **_options):
        raise Begun

    monkeypatch.setattr(module, "AnsibleModule", begin)
    with pytest.raises(Begun):
        module.main()
    assert os.umask(0o022) == 0o022


@pytest.mark.parametrize("content", ["text\n", None])
def test_folders_made_on_the_way_can_be_passed(hardened, tmp_path, content):
    user, group = pathlib.Path(tmp_path).owner(), pathlib.Path(tmp_path).group()
    path = tmp_path / "srv" / "data" / "cache"
    files.write({"path": str(path), "content": content, "owner": user, "group": group, "mode": "0750"})
    for folder in (tmp_path / "srv", tmp_path / "srv" / "data"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE(path.stat().st_mode) == 0o750


def test_a_folder_that_was_there_stays_as_it_is(hardened, tmp_path):
    there = tmp_path / "there"
    there.mkdir(mode=0o700)
    folders.make(str(there / "new"))
    assert stat.S_IMODE(there.stat().st_mode) == 0o700


def test_the_folder_of_a_filling_is_closed_whoever_makes_it_first(tmp_path):
    """A run does before the units have, which make it for themselves alone."""
    folder = tmp_path / "cistern" / "cache-warm" / "cache"
    cache_warm.own_folder(str(folder))
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent, folder.parent.parent)]
    assert modes == [0o700, 0o700, 0o755]
