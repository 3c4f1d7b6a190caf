"""Evaluate the variables of a host once each.

Jinja compiles and evaluates an expression anew wherever a variable is used, and hands all variables of the host to
each: what a role derives in steps is evaluated some hundred times, most of a worker's time. Here what an expression
refers to is evaluated first, and the expression is given these values and no other variables.
"""

import contextlib
import re

from ansible.parsing.vault import EncryptedString
from ansible.template import trust_as_template

TEMPLATE = re.compile(r"\{[{%#].*?[#%}]\}", re.DOTALL)
# a name, which is none where it is an attribute
WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
NAME_ALONE = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)\s*-?\}\}")
# what may use any variable, whose name nobody can read off the text
ANY_VARIABLE = {"vars", "varnames", "lookup", "query", "q", "include", "import", "from", "extends"}


class Variables:
    """The variables of a host, for one task of it: {name: as written}, and the templar of the action."""

    def __init__(self, templar, as_written):
        self._templar = templar.copy_with_new_env(available_variables=as_written)
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
        leaves = list(_leaves(written))
        parts = [part for leaf in leaves if isinstance(leaf, str) for part in TEMPLATE.findall(leaf)]
        if not parts and not any(isinstance(leaf, EncryptedString) for leaf in leaves):
            return written
        names = {name for part in parts for name in WORD.findall(part)}
        used = names & self._as_written.keys()
        for name in used - self._begun:
            self._evaluate(name)
        alone = NAME_ALONE.fullmatch(written) if isinstance(written, str) and not own else None
        if alone and alone[1] in self._values:
            return self._values[alone[1]]
        if names & ANY_VARIABLE or used - self._values.keys():
            used = self._as_written
        known = {name: self._values.get(name, self._as_written[name]) for name in used}
        templar = self._templar.copy_with_new_env(searchpath=folders) if folders else self._templar
        templar.available_variables = {**known, **(own or {})}
        return templar.template(written, **options)

    def _evaluate(self, name):
        """Evaluate a variable; one that cannot be is left as written, to fail where it is used, if it ever is."""
        self._begun.add(name)
        with contextlib.suppress(Exception):  # whatever an expression of the inventory raises
            self._values[name] = self.template(self._as_written[name])


def _leaves(written):
    """Yield what a list or a mapping holds, or the value itself where it is neither."""
    if isinstance(written, dict):
        for each in written.values():
            yield from _leaves(each)
    elif isinstance(written, (list, tuple)):
        for each in written:
            yield from _leaves(each)
    else:
        yield written
