"""How a value is spelled in an .env file, so that python-dotenv, dash and bash read back the same."""

import re

from ansible_collections.cistern.core.plugins.plugin_utils.common.validation import kind_of

# In double quotes a shell acts on these, and python-dotenv knows no escape for them; in single quotes both take them.
# The last one is empty: it keeps a backslash away from the closing quote.
HELPERS = {"$": "CISTERN_DOLLAR", "`": "CISTERN_TICK", "": "CISTERN_END"}
# Names that a shell does not let a file set, or sets itself.
OF_THE_SHELL = re.compile(
    r"_|UID|EUID|PPID|GROUPS|SHELLOPTS|BASH(OPTS|PID|_.*)?|LINENO|OPTIND|RANDOM|SRANDOM|SECONDS|EPOCH(SECONDS|REALTIME)"
    r"|DIRSTACK|FUNCNAME|HISTCMD"
)
PLAIN = re.compile(r"[A-Za-z0-9_.:/@%+,=-]+")


def lines(values):
    """Return the lines of an .env file; the helper variables that a value needs stand first."""
    spelled = {key: spell(as_text(value)) for key, value in values.items()}
    used = [char for char in HELPERS if any(_helper(char) in text for text in spelled.values())]
    return [f"{HELPERS[char]}='{char}'" for char in used] + [f"{key}={text}" for key, text in spelled.items()]


def spell(text):
    """Return one value as it stands behind its `=`."""
    if PLAIN.fullmatch(text):
        return text
    # in single quotes python-dotenv still replaces ${...}, and a backslash there may escape
    if not any(part in text for part in ("'", "\\", "${")):
        return f"'{text}'"
    out = "".join(_in_double_quotes(char) for char in text)
    # python-dotenv 1.2.2 and older take \\" at the end for a quote that is escaped
    end = _helper("") if text.endswith("\\") else ""
    return f'"{out}{end}"'


def _in_double_quotes(char):
    if char in HELPERS:
        return _helper(char)
    return "\\" + char if char in '"\\' else char


def _helper(char):
    return f"${{{HELPERS[char]}}}"


def as_text(value):
    """Return a plain value of the inventory as text. ValueError says what is wrong with it, and never shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise ValueError(f"must be a plain value, not {kind_of(value)}; write it as text in quotes")
    text = str(value)
    if re.search(r"[\n\r\0]", text):
        raise ValueError("must be one line, without line breaks and NUL; encode it, in base64 for example")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not valid UTF-8; encode it, in base64 for example") from None
    return text


def wrong_value(value):
    """Return what is wrong with a value, or None."""
    try:
        as_text(value)
    except ValueError as error:
        return str(error)
    return None


def wrong_name(key):
    """Return what is wrong with the name of a variable, or None."""
    if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
        return "is not a name; write letters, digits and _, and no digit first"
    if key in HELPERS.values():
        return "is used by the file itself; give it another name"
    if OF_THE_SHELL.fullmatch(key):
        return "belongs to the shell, which would not read it back; give it another name"
    return None
