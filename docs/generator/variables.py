"""The variables of a role."""

from generator.markdown import HEADER, facts, options, prose, table
from generator.sources import load


def variables(role):
    path = f"roles/{role}/meta/argument_specs.yml"
    specs = load(path)["argument_specs"]
    text = HEADER.format(path) + f"# Variables of the role {role}\n\n{prose(specs['main']['description'])}\n"
    text += "".join(variable(name, option) for name, option in specs["main"]["options"].items())
    for verb in (spec for name, spec in specs.items() if name != "main"):
        text += f"\n# {verb['short_description']}\n\n{prose(verb['description'])}\n"
        text += "".join(variable(name, option) for name, option in verb["options"].items())
    return text


def variable(name, option):
    text = f"\n## {name}\n\n{facts(option)}\n\n{prose(option['description'])}\n"
    inner = list(options(option.get("options", {})))
    return text + ("\n" + table(("key", "value", "meaning"), *inner) if inner else "")
