"""Paths of a host, as its file system sees them. Pure."""

import posixpath


def normal(path, real=()):
    """Return a path as the file system sees it; `real` are {path: where its links lead} of the machine."""
    plain = posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else path
    return dict(real).get(plain, plain)
