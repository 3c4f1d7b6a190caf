"""A name that somebody may have meant."""

import difflib


def nearest(name, names, alike=0.6):
    """Return the one of the names that is most like this one, None where none is; 1 is the same name."""
    found = difflib.get_close_matches(str(name), list(names), 1, alike)
    return found[0] if found else None


def did_you_mean(name, names, alike=0.6):
    """Return the end of a sentence that says so, '' where no name is like it."""
    found = nearest(name, names, alike)
    return f"; did you mean {found}?" if found else ""
