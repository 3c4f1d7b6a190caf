"""The modules and filters of the collection."""

import yaml
from generator.markdown import HEADER, options, prose, table
from generator.sources import ROOT, assigned, documentation, load


def modules():
    text = HEADER.format("plugins/modules/") + "# Modules of cistern.core\n"
    for path in sorted((ROOT / "plugins/modules").glob("*.py")):
        found = assigned(path)
        spec, returned = documentation(path), yaml.safe_load(found["RETURN"])
        text += _entry(spec["module"], spec, found["EXAMPLES"])
        rows = [(f"`{name}`", value["type"], prose(value["description"])) for name, value in returned.items()]
        if rows:
            text += "\nReturns:\n\n" + table(("name", "type", "meaning"), *rows)
    return text


def filters():
    text = HEADER.format("plugins/filter/") + "# Filters of cistern.core\n"
    for path in sorted((ROOT / "plugins/filter").glob("*.yml")):
        found = load(path)
        spec, returned = found["DOCUMENTATION"], found["RETURN"]["_value"]
        text += _entry(spec["name"], spec, found["EXAMPLES"])
        sample = yaml.safe_dump(returned["sample"], sort_keys=False, allow_unicode=True).removesuffix("...\n")
        text += f"\nReturns ({returned['type']}): {prose(returned['description'])}\n\n```yaml\n{sample}```\n"
    return text


def _entry(name, spec, examples):
    text = f"\n## {name}\n\n{spec['short_description']}.\n\n{prose(spec['description'])}\n\n"
    if spec.get("options"):
        text += table(("option", "value", "meaning"), *options(spec["options"])) + "\n"
    return text + f"```yaml\n{examples.strip()}\n```\n"
