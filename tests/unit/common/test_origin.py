"""Where a value was written, as an error says it."""

import os

from ansible.parsing.dataloader import DataLoader
from ansible_collections.cistern.core.plugins.plugin_utils.common.origin import Origin, origin, position


def test_a_value_of_a_file_is_said_by_file_and_line(tmp_path, monkeypatch):
    path = tmp_path / "vars.yml"
    path.write_text("a: 1\nb: two\n", encoding="utf-8")
    read = DataLoader().load_from_file(os.fspath(path))
    monkeypatch.chdir(tmp_path)
    assert origin("nowhere", read["b"]) == "vars.yml:2"
    assert position(read["b"])[:2] == (os.fspath(path), 2)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert origin(read["b"]) == f"{path}:2"


def test_a_value_of_a_command_line_is_said_by_its_description():
    tagged = Origin(description="<CLI option '-e'>").tag("x")
    assert origin(tagged) == "<CLI option '-e'>" and origin("x") == "" == origin()
    assert position("x") == (None, None, None)


def test_a_value_of_a_whole_file_is_said_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tagged = Origin(path=os.fspath(tmp_path / "vars.yml")).tag("x")
    assert origin(tagged) == "vars.yml" and position(tagged) == (os.fspath(tmp_path / "vars.yml"), None, None)
