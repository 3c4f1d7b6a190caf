"""What an application reads from its .env: by the rules of python-dotenv, which a shell shares.

Nothing of the file is run, whatever stands in it.
"""

import re

_ASSIGNMENT = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<key>'[^']+'|[^=#\s][^=#\s]*)[ \t]*
        (?:=[ \t]*(?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|(?!['"])[^\r\n]*))?""",
    re.VERBOSE,
)
_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def read(text):
    """Return ({key: value}, the numbers of the lines that are none)."""
    values: dict = {}
    wrong, index = [], 0
    while index < len(text):
        end = text.find("\n", index)
        end = len(text) if end < 0 else end
        line = text[index:end].strip()
        if not line or line.startswith("#"):
            index = end + 1
            continue
        found = _ASSIGNMENT.match(text, index)
        rest = re.compile(r"[ \t]*(#[^\r\n]*)?(\r?\n|$)").match(text, found.end()) if found else None
        if not found or found["value"] is None or not rest:
            wrong.append(text.count("\n", 0, index) + 1)
            index = end + 1
            continue
        values[found["key"].strip("'")] = _value(found["value"], values)
        index = rest.end()
    return values, wrong


def _value(raw, values):
    if raw[:1] == "'":
        text = re.sub(r"\\([\\'])", r"\1", raw[1:-1])
    elif raw[:1] == '"':
        text = re.sub(r"\\([\\'\"abfnrtv])", lambda found: _ESCAPES.get(found[1], found[1]), raw[1:-1])
    else:
        text = re.sub(r"\s+#.*", "", raw).rstrip()
    return _VARIABLE.sub(lambda found: values.get(found["name"], found["default"] or ""), text)
