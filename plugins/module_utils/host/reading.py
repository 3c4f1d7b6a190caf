"""Text of a file that may be gone, or closed, by the time that it is read."""


def text_of(path):
    """Return the text of a file, '' where there is none to be had."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
