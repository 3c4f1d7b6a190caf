"""What a variable of a role means, with the collection's own filters: asked of Ansible, in a process of its own.

The loader of collections and the plain imports of the tests cannot be in one.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def means(role, name, variables):
    """Return the value of a variable; `variables` are laid over the role's defaults and vars."""
    words, said = [sys.executable, __file__, role, name], json.dumps(variables)
    return json.loads(subprocess.run(words, input=said, capture_output=True, text=True, check=True).stdout)


def main(role, name):
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import init_plugin_loader
    from ansible.template import Templar

    init_plugin_loader([str(ROOT / "collections")])
    loader, known = DataLoader(), {}
    folder = ROOT / "roles" / role
    for path in [folder / "defaults/main.yml", *folder.glob("vars/main.yml"), *folder.glob("vars/main/*.yml")]:
        known |= loader.load_from_file(str(path), trusted_as_template=True)
    known |= json.load(sys.stdin)
    print(json.dumps(Templar(loader, variables=known).template(known[name])))


if __name__ == "__main__":
    main(*sys.argv[1:])
