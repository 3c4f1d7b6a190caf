"""Whether the Python of a host has what changes need: one that apt's packages do not reach is named before a change."""

import sys

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host import libraries


@pytest.fixture
def of_its_own(monkeypatch):
    monkeypatch.setattr(libraries, "PACKAGED", "/nowhere")
    monkeypatch.setattr(sys, "executable", "/opt/py/bin/python")


def test_a_python_of_its_own_lacks_what_apt_installs(of_its_own):
    [text] = libraries.lacking(["json", "nobody_has_this"], ["python3-nobody"])
    assert "/opt/py/bin/python cannot import nobody_has_this, and what apt installs (python3-nobody)" in text
    assert text.startswith("ansible_python_interpreter: ") and "write /usr/bin/python3" in text


def test_one_that_has_the_library_is_fine(of_its_own):
    assert libraries.lacking(["json"], ["python3-json"]) == []


def test_that_of_the_system_gets_it_from_apt(monkeypatch, tmp_path):
    system = tmp_path / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    system.touch()
    monkeypatch.setattr(libraries, "SYSTEM", str(system))
    monkeypatch.setattr(libraries, "PACKAGED", "/packaged")
    monkeypatch.setattr(sys, "path", [*sys.path, "/packaged"])
    assert libraries.lacking(["nobody_has_this"], ["python3-nobody"]) == []
    # what is compiled for another version cannot be loaded
    monkeypatch.setattr(libraries, "SYSTEM", str(tmp_path / "python3.1"))
    assert libraries.lacking(["nobody_has_this"], ["python3-nobody"]) != []
