"""Key patterns such as `conversation:{user1}:{user2}:messages:{limit}:{offset}`: what they match, which overlap.

A placeholder matches one or more characters that are no colon; `*`, which only a rule of invalidation may have, matches
any characters. Keys are bytes, as the server has them.
"""

import re
from collections import deque

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# What SCAN MATCH takes for more than itself.
_GLOB = re.compile(r"([*?\[\]\\])")


class Pattern:
    """A pattern and the `names` of its placeholders, in their order. ValueError says what is wrong with it."""

    def __init__(self, text):
        self.text = text
        self.parts = []  # ("text", "a:"), ("name", "user_id"), ("any", "*")
        index = 0
        for found in re.finditer(r"\{[^{}]*\}|[{}*]", text):
            if found.start() > index:
                self.parts.append(("text", text[index : found.start()]))
            self.parts.append(_part(found[0]))
            index = found.end()
        if text[index:]:
            self.parts.append(("text", text[index:]))
        self.names = [value for kind, value in self.parts if kind == "name"]
        for one, other in zip(self.parts, self.parts[1:]):
            if "text" not in (one[0], other[0]):
                raise ValueError(f"has nothing between {_shown(one)} and {_shown(other)}; write a colon between them")

    def regex(self):
        """Return what matches its keys, as text of a regular expression of bytes."""
        shapes = {"text": lambda value: re.escape(value), "name": lambda _: "[^:]+", "any": lambda _: ".*"}
        return "".join(shapes[kind](value) for kind, value in self.parts).encode()

    def filled(self, values):
        """Return the pattern with these values in place of placeholders; those it has no value for stay open."""
        shapes = {
            "text": lambda value: value,
            "any": lambda value: value,
            "name": lambda value: str(values[value]) if value in values else f"{{{value}}}",
        }
        return "".join(shapes[kind](value) for kind, value in self.parts)

    def matcher(self, values):
        """Return (glob for SCAN MATCH, compiled regular expression) of its keys with these values.

        The glob lets through more than the pattern, because its `*` matches a colon too.
        """
        glob, regex = "", b""
        for kind, value in self.parts:
            literal = value if kind == "text" else str(values[value]) if kind == "name" and value in values else None
            glob += "*" if literal is None else _GLOB.sub(r"\\\1", literal)
            regex += (b".*" if kind == "any" else b"[^:]+") if literal is None else re.escape(literal.encode())
        return glob, re.compile(regex, re.DOTALL)

    def open_with(self, values):
        """Whether it stands for more than one key when these values are filled in."""
        return any(kind == "any" or (kind == "name" and value not in values) for kind, value in self.parts)


def _part(found):
    if found == "*":
        return "any", "*"
    name = PLACEHOLDER.fullmatch(found)
    if not name:
        raise ValueError(f"has {found!r}, which is no placeholder; write one as {{user_id}}")
    return "name", name[1]


def _shown(part):
    return f"{{{part[1]}}}" if part[0] == "name" else part[1]


def overlap(one, other):
    """Return a key that both patterns match, None where there is none.

    Walks both at once, as automata whose letters are single characters: a placeholder takes one, and then any number
    more, that are no colon.
    """
    steps = [_automaton(one), _automaton(other)]
    seen, queue = {(0, 0)}, deque([((0, 0), "")])
    while queue:
        (left, right), text = queue.popleft()
        if left == len(steps[0]) and right == len(steps[1]):
            return text
        for letter, nexts in _together(steps, left, right):
            for state in nexts:
                if state not in seen:
                    seen.add(state)
                    queue.append((state, text + letter))
    return None


def _automaton(pattern):
    """Return its letters: (character or None for any, whether a colon is taken, whether it repeats)."""
    letters = []
    for kind, value in pattern.parts:
        if kind == "text":
            letters += [(each, True, False) for each in value]
        else:
            # `*` is read as at least one character, which is enough to find a key that both match
            letters.append((None, kind == "any", True))
    return letters


def _together(steps, left, right):
    if left >= len(steps[0]) or right >= len(steps[1]):
        return
    (one, one_colon, one_repeats), (other, other_colon, other_repeats) = steps[0][left], steps[1][right]
    letter = one or other or "x"
    fits_one = one == letter or (one is None and (letter != ":" or one_colon))
    fits_other = other == letter or (other is None and (letter != ":" or other_colon))
    if fits_one and fits_other:
        lefts = [left + 1, left] if one_repeats else [left + 1]
        rights = [right + 1, right] if other_repeats else [right + 1]
        yield letter, [(first, second) for first in lefts for second in rights]


class Families:
    """The families of a checked policy: which one a key belongs to."""

    def __init__(self, policy):
        self.names = list(policy["families"])
        patterns = [Pattern(policy["families"][name]["key"]).regex() for name in self.names]
        # patterns do not overlap, so the order does not matter; one expression is faster than ten
        joined = b"|".join(b"(%s)" % regex for regex in patterns)
        self._match = re.compile(joined, re.DOTALL).fullmatch if patterns else lambda _key: None

    def of(self, key):
        """Return the family of a key (bytes), None where it belongs to none."""
        found = self._match(key)
        return self.names[(found.lastindex or 1) - 1] if found else None
