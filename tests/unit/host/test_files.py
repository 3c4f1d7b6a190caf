"""Files on a host: what differs, and a replacement that a reader never sees half done."""

import grp
import os
import pwd
import stat
from pathlib import Path

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host import atomic, files, folders


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


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        ({}, False),
        ({"content": "another text"}, True),
        ({"content": ""}, True),
        ({"mode": "0600"}, True),
        ({"owner": "nobody"}, True),
        ({"group": "nogroup"}, True),
        # what it says is not known, so that it is only to be there
        ({"content": None}, False),
        ({"content": None, "mode": "0644"}, True),
        ({"absent": True}, True),
    ],
)
def test_a_file_is_compared_by_its_marks_as_by_itself(want, change, is_other):
    missing = {**want, **change}
    assert files.differs_by_marks(missing, None) == (not change.get("absent", False))
    files.write(want)
    have = files.marks(found(want))
    assert "text" not in have and "✓" not in str(have)
    assert files.differs_by_marks({**want, **change}, have) == is_other
    assert bool(files.differs({**want, **change}, found(want))) == is_other


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


def test_folders_on_the_way_can_be_passed_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        folders.make(str(tmp_path / "a" / "b" / "c"))
        folders.make(str(tmp_path / "a" / "b" / "c"))
    finally:
        os.umask(before)
    for name in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o755


def test_a_folder_that_somebody_cannot_pass_is_named(tmp_path):
    os.chmod(tmp_path, 0o755)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    account = pwd.getpwuid(os.geteuid()).pw_name
    assert folders.closed_to(str(closed / "x" / "y"), account) == ""
    told = folders.closed_to(str(closed / "x" / "y"), "nobody")
    # the folders of tests may lie below one that is closed too
    assert told.endswith(f"of {account}, and nobody cannot pass it") and " is 0700 of " in told
    assert folders.closed_to("/etc/nothing/there", "nobody-of-this-name") == ""


def test_a_file_that_is_replaced_is_whole_or_the_old_one(tmp_path):
    path = tmp_path / "file"
    atomic.write(path, "one\r\n", 0o600)
    with pytest.raises(RuntimeError, match="killed"), atomic.replacing(path, 0o644) as file:
        file.write(b"tw")
        raise RuntimeError("killed")
    assert path.read_bytes() == b"one\r\n" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_is_not_whole_has_the_ending_of_none(tmp_path):
    """An exporter reads each `.prom` of a folder, a module each `.jsonl`."""
    with atomic.replacing(tmp_path / "a.prom", 0o644, modified=9):
        (name,) = os.listdir(tmp_path)
        assert name.startswith(".") and not name.endswith(".prom")
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / "a.prom").stat().st_mtime == 9


def test_files_are_replaced_by_one_function():
    """One that is moved aside keeps what it has; a second way to write one would forget what the first has learned."""
    root = Path(files.__file__).resolve().parents[2]
    found = [path.name for path in root.rglob("*.py") if "mkstemp(" in path.read_text(encoding="utf-8")]
    assert found == ["atomic.py"]
