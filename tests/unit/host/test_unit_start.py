"""A server that does not start: the sentence has the reason from its own log."""

import pytest
from ansible_collections.cistern.core.plugins.module_utils.host import systemd, unit_start


def fails(monkeypatch, log, text):
    def do(verb, unit):
        log.open("a", encoding="utf-8").write(text)
        raise RuntimeError(f"systemctl {verb} {unit} failed")

    monkeypatch.setattr(systemd, "do", do)


def test_what_the_log_got_since_the_start_is_told_and_nothing_older(monkeypatch, tmp_path):
    log = tmp_path / "server.log"
    log.write_text("an old complaint\n")
    fails(monkeypatch, log, "Can't chdir to '/srv/data': Permission denied\n")
    with pytest.raises(RuntimeError) as error:
        unit_start.run("start", "a.service", str(log))
    assert str(error.value) == "systemctl start a.service failed\nCan't chdir to '/srv/data': Permission denied"


def test_a_secret_in_the_log_is_hidden(monkeypatch, tmp_path):
    log = tmp_path / "server.log"
    fails(monkeypatch, log, ">>> 'requirepass hunter2 more'\n")
    with pytest.raises(RuntimeError) as error:
        unit_start.run("start", "a.service", str(log))
    assert "hunter2" not in str(error.value) and "requirepass" in str(error.value)


def test_without_a_log_systemd_has_the_word(monkeypatch, tmp_path):
    fails(monkeypatch, tmp_path / "elsewhere", "x\n")
    with pytest.raises(RuntimeError, match="^systemctl start a.service failed$"):
        unit_start.run("start", "a.service")
