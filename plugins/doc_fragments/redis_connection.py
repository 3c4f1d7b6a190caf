"""Options of modules that talk to an instance of Redis on its own machine."""


class ModuleDocFragment:
    DOCUMENTATION = """
options:
  addresses: {description: Addresses that the instance listens on., type: list, elements: str, required: true}
  port: {description: Its port., type: int, required: true}
  password: {description: Its password., type: str, required: true}
"""
    # programs of the machine that log in as themselves
    USERS = """
options:
  users:
    description: Programs of the machine with rights of their own. Others that are called C(cistern-) are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Name of the user., type: str, required: true}
      rules: {description: "Its rights, as in C(ACL SETUSER).", type: str, required: true}
      path: {description: The file with its password. It is made here and is root's., type: path, required: true}
"""
