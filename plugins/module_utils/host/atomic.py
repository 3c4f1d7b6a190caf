"""A file that is replaced whole: a reader sees the old one or the new one, and what fails leaves the old one alone.

It imports nothing of the toolkit: programs on hosts have it beside them.
"""

import contextlib
import os
import tempfile


def write(path, text, mode=0o644, errors="strict", **more):
    """Replace a file by a text, whose ends of lines stay; the rest as in replacing()."""
    with replacing(path, mode, **more) as file:
        file.write(text.encode("utf-8", errors))


@contextlib.contextmanager
def replacing(path, mode, owner=None, modified=None, durable=False):
    """Give a binary file that takes the place of another one when the block ends.

    `owner` is (uid, gid), `modified` the time it shall be said to be modified at; a `durable` one outlives a loss of
    power. Until then nobody else reads it, and its name begins with a dot and has the ending of no file.
    """
    folder, name = os.path.split(path)
    handle, temporary = tempfile.mkstemp(dir=folder or ".", prefix=f".{name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if owner:
            os.chown(temporary, *owner)
        os.chmod(temporary, mode)
        if modified:
            os.utime(temporary, (modified, modified))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
