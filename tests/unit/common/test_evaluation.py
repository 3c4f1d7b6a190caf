"""Variables are evaluated once each, and come to what Ansible's own templar makes of them."""

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import EncryptedString, VaultLib, VaultSecret, VaultSecretsContext
from ansible.template import Templar, trust_as_template
from ansible_collections.cistern.core.plugins.plugin_utils.common.evaluation import Variables


def trusted(value):
    if isinstance(value, dict):
        return {name: trusted(each) for name, each in value.items()}
    if isinstance(value, list):
        return [trusted(each) for each in value]
    return trust_as_template(value) if isinstance(value, str) else value


def both(written, loader=None, **variables):
    """Return what the templar and what Variables make of a text."""
    templar = Templar(loader=loader or DataLoader(), variables=trusted(variables))
    return templar.template(trusted(written)), Variables(templar, trusted(variables)).template(trusted(written))


@pytest.mark.parametrize(
    ("written", "variables"),
    [
        ("{{ a }}", {"a": "{{ b }}", "b": "{{ c | upper }}", "c": "x"}),
        ("{{ a }}", {"a": "{{b}}", "b": 7}),
        ("{{ a.b }}-{{ a['c'] }}", {"a": {"b": "{{ one }}", "c": "{{ two }}"}, "one": 1, "two": [2]}),
        ("{{ a if yes else b }}", {"a": "{{ missing.name }}", "b": "{{ c }}", "c": "taken", "yes": False}),
        # one of a mapping cannot be evaluated, and another one is used
        (
            "{{ all['good'] }}",
            {"all": {"bad": "{{ missing }}", "good": "{{ deep }}"}, "deep": "{{ deeper }}", "deeper": "x"},
        ),
        ("{{ a | default('none') }}", {"a": "{{ missing }}"}),
        ("{{ vars['a'] }}", {"a": "x", "vars": {"a": "x"}}),
        ("{{ lookup('vars', 'na' ~ 'me') }}", {"name": "{{ b }}", "b": "x"}),
        ("{{ query('varnames', '^some_') | sort }}", {"some_a": 1, "some_b": 2}),
        ("{{ x.a }}", {"x": {"a": "of x"}, "a": "{{ missing }}"}),
        ("{% for each in a %}{{ each }},{% endfor %}", {"a": ["{{ b }}", "c"], "b": "b"}),
        ({"k": ["{{ a }}", "{{ b }}"], "n": 1}, {"a": "{{ b }}", "b": True}),
        (
            {"k": "{{ a }}", "l": "{{ omit }}", "m": [1, "{{ a if no else omit }}"]},
            {"a": "{{ b }}", "b": 1, "no": False},
        ),
        ("{{ a }}", {"a": {"k": 1, "l": "{{ 2 if no else omit }}"}, "no": False}),
        ("{{ a.items }}{{ a.keys() | list }}", {"a": {"items": 1}}),
        ("{{ a }}{{ b }}{{ c }}", {"a": 1, "b": True, "c": None}),
        ("{{ a }}-{{ b }}-{{ c }}{{ a }}.", {"a": "x", "b": "{{ c }}", "c": "y"}),
        ("plain", {}),
        ("{# said to nobody #}", {}),
        ("{{ '{{ a }}' }}", {"a": "x"}),
        ("{{ a }}", {"a": "{{ b }}", "b": "{{ c }}", "c": None}),
    ],
)
def test_it_comes_to_the_same(written, variables):
    of_templar, evaluated = both(written, **variables)
    assert evaluated == of_templar
    assert type(evaluated) is type(of_templar) or isinstance(evaluated, type(of_templar))


def test_a_variable_is_evaluated_once(tmp_path):
    counted = tmp_path / "counted"
    written = {
        "costly": f"{{{{ lookup('pipe', 'echo once >> {counted}; echo value') }}}}",
        "first": "{{ costly }}-1",
        "second": "{{ costly ~ first }}",
    }
    variables = Variables(Templar(loader=DataLoader(), variables={}), trusted(written))
    assert variables.expression("[first, second, costly, first]") == ["value-1", "valuevalue-1", "value", "value-1"]
    assert counted.read_text() == "once\n"


def test_a_text_is_an_expression_and_anything_else_is_itself():
    variables = Variables(Templar(loader=DataLoader(), variables={}), {"port": 6379, "hostvars": {"a": {}}})
    assert variables.hostvars == {"a": {}}
    assert variables.expression("{'port': port + 1}") == {"port": 6380}
    assert variables.expression({"port": "port"}) == {"port": "port"}


@pytest.mark.parametrize("written", ["{{ a }}", "{{ a ~ '!' }}", {"k": "{{ a }}"}])
@pytest.mark.parametrize("a", ["{{ missing }}", "{{ a }}", "{{ 1 // 0 }}"])
def test_what_cannot_be_evaluated_fails_where_it_is_used(written, a):
    templar = Templar(loader=DataLoader(), variables=trusted({"a": a}))
    with pytest.raises(AnsibleError) as plain:
        templar.template(trusted(written))
    with pytest.raises(AnsibleError) as error:
        Variables(templar, trusted({"a": a})).template(trusted(written))
    assert type(error.value) is type(plain.value)


def test_names_alone_do_not_take_jinja(monkeypatch):
    """Most of what is written in braces is such a name, and Jinja takes a millisecond for each."""
    variables = Variables(
        Templar(loader=DataLoader(), variables={}),
        trusted({"list": [1, "{{ name }}"], "name": "x", "at": {"port": 7, "host": "{{ name }}"}}),
    )
    monkeypatch.setattr(Templar, "template", lambda *_words, **_options: pytest.fail("Jinja is asked"))
    found = [variables.template(trust_as_template(text)) for text in ("{{ list }}", "{{ at.port }}", "a-{{ at.host }}")]
    assert found == [[1, "x"], 7, "a-x"]
    assert variables.template(trust_as_template("{{ name }}/{{ at.host }}.{{ name }}")) == "x/x.x"


def test_what_a_host_has_told_is_no_template():
    variables = Variables(Templar(loader=DataLoader(), variables={}), {"told": "{{ 1 + 1 }}"})
    assert variables.expression("told") == "{{ 1 + 1 }}"


def test_a_vaulted_value_is_opened(monkeypatch):
    secrets = [("default", VaultSecret(b"throw-away"))]
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(secrets))
    hidden = EncryptedString(ciphertext=VaultLib(secrets).encrypt("hidden", secrets[0][1]).decode())
    written = {"password": hidden, "user": {"name": trust_as_template("{{ password }}"), "other": hidden}}
    variables = Variables(Templar(loader=DataLoader(), variables={}), written)
    assert variables.expression("user.name ~ '/' ~ user.other ~ '/' ~ password") == "hidden/hidden/hidden"
    assert variables.expression("password") == variables.template(hidden) == "hidden"


def test_own_variables_go_first_and_an_included_file_has_all(tmp_path):
    (tmp_path / "part.j2").write_text("{{ port }} of {{ name }}")
    variables = Variables(
        Templar(loader=DataLoader(), variables={}), trusted({"port": "{{ base + 1 }}", "base": 1, "name": "n"})
    )
    text = trust_as_template("{% include 'part.j2' %}, {{ name }}")
    assert variables.template(text, {"name": "own"}, [str(tmp_path)]) == "2 of own, own"


def test_one_of_its_own_hides_what_was_evaluated_before():
    variables = Variables(Templar(loader=DataLoader(), variables={}), trusted({"a": "{{ b }}", "b": 1}))
    found = [variables.template(trust_as_template("{{ a }}"), own) for own in (None, {"a": "own"}, None)]
    assert found == [1, "own", 1]


def test_one_that_many_need_is_evaluated_once_in_whichever_order(tmp_path):
    """A set has its names in another order in each run of Python."""
    counted = tmp_path / "counted"
    many = {f"v{number}": "{{ costly }}" for number in range(40)}
    written = {**many, "costly": f"{{{{ lookup('pipe', 'echo once >> {counted}; echo value') }}}}"}
    variables = Variables(Templar(loader=DataLoader(), variables={}), trusted(written))
    assert variables.expression(f"[{', '.join([*many, 'costly'])}]") == ["value"] * 41
    assert counted.read_text() == "once\n"
