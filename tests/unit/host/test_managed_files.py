"""The action `managed_files`, from a template on the controller to a file, in one module run on this machine."""

import getpass
import grp
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def play(tmp_path):
    """Run a play with one task of the action; returns its output."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/a.j2").write_text("# {{ who }}\n{% if true %}\nline\n{% endif %}\n", encoding="utf-8")
    (tmp_path / "templates/b.j2").write_text("{% include 'included/c.j2' +%}\nend\n", encoding="utf-8")
    (tmp_path / "templates/included").mkdir()
    (tmp_path / "templates/included/c.j2").write_text("{# a part #}\n{% if true %}\n{{ who }}\n{% endif %}x\n", "utf-8")
    (tmp_path / "files").mkdir()
    (tmp_path / "files/key").write_text("{{ not a template }}\n", encoding="utf-8")
    owner = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name, "mode": "0640"}

    def run(*files, options=()):
        task = {"cistern.core.managed_files": {"files": [{**owner, **file} for file in files]}}
        book = [{"hosts": "localhost", "gather_facts": False, "vars": {"who": "für dich"}, "tasks": [task]}]
        (tmp_path / "play.yml").write_text(yaml.safe_dump(book), encoding="utf-8")
        command = [
            Path(sys.executable).with_name("ansible-playbook"),
            tmp_path / "play.yml",
            "-i",
            "localhost,",
            *options,
        ]
        local = ["-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            [*command, *local], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def test_files_are_rendered_written_once_and_taken_away(play, tmp_path):
    made, key = tmp_path / "etc/a", tmp_path / "etc/key"
    wanted = [{"template": "a.j2", "path": str(made)}, {"source": "key", "path": str(key)}]
    assert "changed=1" in play(*wanted, options=["--check"]) and not made.exists()
    assert "changed=1" in play(*wanted)
    assert made.read_text(encoding="utf-8") == "# für dich\nline\n"
    assert key.read_text(encoding="utf-8") == "{{ not a template }}\n"
    assert "changed=0" in play(*wanted)
    assert "changed=1" in play({**wanted[0], "absent": True}) and not made.exists()


def test_a_template_includes_what_lies_beside_it(play, tmp_path):
    play({"template": "b.j2", "path": str(tmp_path / "b")})
    assert (tmp_path / "b").read_text(encoding="utf-8") == "für dich\nx\nend\n"


def test_a_secret_is_in_no_output(play, tmp_path):
    secret = {"template": "a.j2", "path": str(tmp_path / "secret"), "secret": True}
    output = play(secret, options=["-vvv", "--diff"])
    assert (tmp_path / "secret").read_text(encoding="utf-8") == "# für dich\nline\n"
    assert "# für dich" not in output and "changed=1" in output


def test_a_secret_that_is_not_wanted_hides_nothing_else(play, tmp_path):
    """Of a secret without a password a line break is left, and Ansible would hide every one in the output."""
    gone = {"content": "\n", "path": str(tmp_path / "gone"), "secret": True, "absent": True}
    output = play(gone, {"template": "a.j2", "path": str(tmp_path / "made")}, options=["--diff"])
    assert "+# für dich\n+line\n" in output
