"""Files on a host: what differs, and a replacement that a reader never sees half done."""

import grp
import os
import pwd

import pytest
from ansible_collections.cistern.core.plugins.module_utils import files


@pytest.fixture
def want(tmp_path):
    return {
        "path": str(tmp_path / "folder" / "file"),
        "content": "text ✓\n",
        "owner": pwd.getpwuid(os.getuid()).pw_name,
        "group": grp.getgrgid(os.getgid()).gr_name,
        "mode": "0640",
    }


def found(want):
    return files.observe([want["path"]])[want["path"]]


def test_a_file_is_made_once(want):
    assert files.differs(want, found(want)) == ["missing"]
    files.write(want)
    assert files.differs(want, found(want)) == []


@pytest.mark.parametrize(
    "change, says",
    [({"content": "other"}, ["content"]), ({"mode": "0600"}, ["mode"]), ({"owner": "nobody"}, ["owner"])],
)
def test_what_differs_is_named(want, change, says):
    files.write(want)
    assert files.differs({**want, **change}, found(want)) == says


def test_a_folder_has_no_content(want):
    folder = {**want, "content": None, "mode": "0750"}
    files.write(folder)
    assert os.path.isdir(folder["path"]) and files.differs(folder, found(folder)) == []


def test_a_failed_write_leaves_the_old_file_and_no_other(want, monkeypatch):
    files.write(want)
    monkeypatch.setattr(os, "replace", lambda *_names: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        files.write({**want, "content": "new"})
    assert found(want)["text"] == "text ✓\n"
    assert os.listdir(os.path.dirname(want["path"])) == ["file"]


def test_a_diff_hides_what_it_is_told_to(want):
    files.write(want)
    shown = files.diff({**want, "content": "secret"}, found(want), show=lambda text: text.replace("secret", "(hidden)"))
    assert shown["after"] == "(hidden)" and shown["before"] == "text ✓\n"
