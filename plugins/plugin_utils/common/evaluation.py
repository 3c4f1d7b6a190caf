"""Evaluate the variables of a host once each.

Jinja compiles and evaluates an expression anew wherever a variable is used, and hands all variables of the host to
each: what a role derives in steps is evaluated some hundred times, most of a worker's time. Here what an expression
refers to is evaluated first, and the expression is given these values and no other variables.
"""

import contextlib
import re

from ansible.errors import AnsibleValueOmittedError
from ansible.parsing.vault import EncryptedString
from ansible.template import trust_as_template

TEMPLATE = re.compile(r"\{[{%#].*?[#%}]\}", re.DOTALL)
# a name, which is none where it is an attribute
WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
# a name, or a key of a mapping, which are most of what is written in braces
PATH = re.compile(r"\{\{ ([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) \}\}")
# what may use any variable, whose name nobody can read off the text
ANY_VARIABLE = {"vars", "varnames", "lookup", "query", "q", "include", "import", "from", "extends"}


class Variables:
    """The variables of a host, for one task of it: {name: as written}, and the templar of the action."""

    def __init__(self, templar, as_written):
        # one for each list of folders: a new templar knows no filter yet, and to find one takes a millisecond
        self._templars = {(): templar.copy_with_new_env(available_variables=as_written)}
        self._as_written = as_written
        self._values = {}
        self._begun = set()

    @property
    def hostvars(self):
        """The variables of all hosts."""
        return self._as_written["hostvars"]

    def expression(self, text):
        """Return the value of an expression, which is written without braces as in `when`; of anything else, itself."""
        return self.template(trust_as_template("{{ " + text + " }}")) if isinstance(text, str) else text

    def template(self, written, own=None, folders=None, **options):
        """Return what a text, a list or a mapping comes to.

        `own` are further variables of it, `folders` are where it finds what it includes, `options` are the templar's.
        """
        if isinstance(written, dict):
            return dict(self._each(written.items(), own, folders, options))
        if isinstance(written, list):
            return [each for _index, each in self._each(enumerate(written), own, folders, options)]
        parts = TEMPLATE.findall(written) if isinstance(written, str) else []
        if not parts and not isinstance(written, EncryptedString):
            return written
        names = {name for part in parts for name in WORD.findall(part)}
        used = names & self._as_written.keys()
        for name in used:
            self._evaluate(name)
        if not own and not options and (plain := self._plain(written)) is not None:
            return plain
        if names & ANY_VARIABLE or used - self._values.keys():
            used = self._as_written
        known = {name: self._values.get(name, self._as_written[name]) for name in used}
        templar = self._looking_in(tuple(folders or ()))
        templar.available_variables = {**known, **(own or {})}
        return templar.template(written, **options)

    def _looking_in(self, folders):
        if folders not in self._templars:
            self._templars[folders] = self._templars[()].copy_with_new_env(searchpath=folders)
        return self._templars[folders]

    def _each(self, items, own, folders, options):
        """Yield (key, value) of what a list or a mapping comes to, without those that are omitted."""
        for key, written in items:
            with contextlib.suppress(AnsibleValueOmittedError):
                yield key, self.template(written, own, folders, **options)

    def _plain(self, text):
        """Return what a text of names alone comes to, without Jinja; None where it takes more than that."""
        if not isinstance(text, str):
            return None
        pieces = PATH.split(text)
        literals, paths = pieces[::2], pieces[1::2]
        if any("{" in literal for literal in literals):
            return None
        values = [self._at(path.split(".")) for path in paths]
        if len(values) == 1 and literals == ["", ""]:
            return values[0]
        if not all(isinstance(value, str) for value in values):
            return None
        return "".join(piece for pair in zip(literals, [*values, ""], strict=True) for piece in pair)

    def _at(self, path):
        """Return the value at a path of names, None where that is not one that Jinja would find just so."""
        value = self._values.get(path[0])
        for key in path[1:]:
            # Jinja looks for an attribute first: `items` of a mapping is its method
            value = None if not isinstance(value, dict) or hasattr(dict, key) else value.get(key)
        return value

    def _evaluate(self, name):
        """Evaluate a variable; one that cannot be is left as written, to fail where it is used, if it ever is."""
        if name in self._begun:
            return
        self._begun.add(name)
        with contextlib.suppress(Exception):  # whatever an expression of the inventory raises
            self._values[name] = self.template(self._as_written[name])
