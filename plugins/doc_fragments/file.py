"""Options of modules that write files: how a file is told to them."""

_FILE = """
      path: {description: Where it goes., type: path, required: true}
      owner: {description: Its owner., type: str, required: true}
      group: {description: Its group., type: str, required: true}
      mode: {description: Its mode in four octal digits., type: str, required: true}
"""
_TEXT = """
      content: {description: The text., type: str}
      absent: {description: Whether it must not be there., type: bool, default: false}
"""
_UNIT = """
      unit: {description: Takes effect when the unit restarts., type: bool, default: false}
"""


class ModuleDocFragment:
    # with a type each: sanity reads those without one, and knows no text that is put together
    # a file of settings that has passwords in it
    SECRET_CONF: str = f"""
options:
  conf:
    type: dict
    required: true
    suboptions: {_FILE}
      secret_content: {{description: The text., type: str, required: true}}
"""
    CONF: str = f"""
options:
  conf:
    type: dict
    required: true
    suboptions: {_FILE} {_TEXT}
"""
    BESIDE: str = f"""
options:
  files:
    type: list
    elements: dict
    default: []
    suboptions: {_FILE} {_TEXT}
"""
    OF_A_UNIT: str = f"""
options:
  files:
    type: list
    elements: dict
    default: []
    suboptions: {_FILE} {_TEXT} {_UNIT}
"""
    OF_AN_INSTANCE: str = f"""
options:
  files:
    type: list
    elements: dict
    default: []
    suboptions: {_FILE} {_TEXT} {_UNIT}
      manager: {{description: Read by systemd itself., type: bool, default: false}}
      unless_container: {{description: Whether it is absent in a container., type: bool, default: false}}
"""
    ANY: str = f"""
options:
  files:
    description: The files; without content it is a folder.
    type: list
    elements: dict
    required: true
    suboptions: {_FILE} {_TEXT}
      secret_content: {{description: "The text, where it holds a secret; no diff is shown.", type: str}}
"""
