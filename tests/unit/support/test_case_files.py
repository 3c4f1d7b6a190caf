"""A case file whose words nobody reads is no case."""

import case_files
import pytest


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setattr(case_files, "ROOT", tmp_path)
    monkeypatch.setattr(case_files, "FOLDER", tmp_path)

    def of(text):
        (tmp_path / "a").mkdir()
        (tmp_path / "a/one.yml").write_text(text, encoding="utf-8")
        cases = case_files.Cases("a", "want", "steps", hosts=("says", "machine"))
        assert [path.stem for path in cases.paths] == ["one"] and len(cases) == 1
        assert cases.read("one") == cases.read(cases.paths[0]) == cases.read_all()["one"]
        return cases.read("one")

    return of


@pytest.mark.parametrize("text", ["{want: 1, hosts: {x: {says: {hav: 1}}, y: }}", "{}", "", "hosts: "])
def test_a_case_is_read(read, text):
    assert read(text) == (case_files.yaml.safe_load(text) or {})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wants: 1", "a/one.yml: unknown key wants, meant is perhaps want; a case of a has hosts, steps, want"),
        ("1: 2", "a/one.yml: unknown key 1; a case of a has hosts, steps, want"),
        ("[want]", "a/one.yml: must be a mapping; a case of a has hosts, steps, want"),
        (
            "hosts: {x: {say: {}}, y: [], z: }",
            "a/one.yml: hosts: x: unknown key say, meant is perhaps says; an entry of hosts has machine, says\n"
            "a/one.yml: hosts: y: must be a mapping; an entry of hosts has machine, says",
        ),
    ],
)
def test_what_nobody_reads_is_told(read, text, told):
    with pytest.raises(pytest.fail.Exception) as error:
        read(text)
    assert error.value.msg == told
