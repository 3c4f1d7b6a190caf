"""The modules of the collection."""

import yaml
from generator.markdown import HEADER, options, prose, table
from generator.sources import ROOT, assigned


def modules():
    text = HEADER.format("plugins/modules/") + "# Modules of cistern.core\n"
    for path in sorted((ROOT / "plugins/modules").glob("*.py")):
        found = assigned(path)
        spec, returned = yaml.safe_load(found["DOCUMENTATION"]), yaml.safe_load(found["RETURN"])
        text += f"\n## {spec['module']}\n\n{spec['short_description']}.\n\n{prose(spec['description'])}\n\n"
        text += table(("option", "value", "meaning"), *options(spec.get("options", {})))
        text += f"\n```yaml\n{found['EXAMPLES'].strip()}\n```\n\nReturns:\n\n"
        rows = ((f"`{name}`", value["type"], prose(value["description"])) for name, value in returned.items())
        text += table(("name", "type", "meaning"), *rows)
    return text
