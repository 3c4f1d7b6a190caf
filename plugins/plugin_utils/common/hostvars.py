"""What the inventory says of a host, and where: read as it is written, before a default is laid under it."""

from ansible.errors import AnsibleError
from ansible_collections.cistern.core.plugins.plugin_utils.common.origin import origin
from ansible_collections.cistern.core.plugins.plugin_utils.common.role_files import ROLES
from ansible_collections.cistern.core.plugins.plugin_utils.common.spelling import misread


def read(action, task_vars, name, role, prefixes, layers):
    """Return {values, origins, broken} of a host's variables with one of these prefixes.

    `origins` are {variable: file:line}, and {(layer, key): file:line} of the settings in `layers`; `broken` are
    {variable: why} of those that cannot be evaluated, or that YAML reads otherwise than they are written.
    """
    raw = task_vars["hostvars"].raw_get(name)
    values, origins, broken = {}, {}, {}
    # a variable may refer to a default of the role, which hostvars do not have
    defaults = action._loader.load_from_file(str(ROLES / role / "defaults" / "main.yml"), unsafe=True)  # not a copy
    templar = action._templar.copy_with_new_env(
        available_variables={**defaults, **raw, "hostvars": task_vars["hostvars"]}
    )
    for variable in [each for each in raw if str(each).startswith(prefixes)]:
        origins[variable] = origin(raw[variable])
        try:
            values[variable] = templar.template(raw[variable])
        except AnsibleError as error:
            broken[variable] = f"cannot be evaluated: {str(error).splitlines()[0]}"
            continue
        wrong = list(misread(values[variable]))
        if wrong:
            broken[variable] = "; ".join(wrong)
        if variable in layers and isinstance(raw[variable], dict):
            origins.update({(variable, key): origin(value, key) for key, value in raw[variable].items()})
    return {"values": values, "origins": origins, "broken": broken}


def raw(hostvars, name):
    """Return the variables of a host as they are written; those of a plain mapping as they are."""
    return getattr(hostvars, "raw_get", hostvars.get)(name)


def machine(task_vars, name):
    """Return what tells one machine from another."""
    hostvars = task_vars["hostvars"][name]
    return (str(hostvars.get("ansible_host", name)), hostvars.get("ansible_port", 22))
