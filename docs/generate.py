#!/usr/bin/env python3
"""Write docs/reference/ from what the code says: the roles' variables, what they know, the modules.

docs/generate.py            write the pages
docs/generate.py --check    write nothing; exit 1 and name the pages that differ
"""

import sys

from generator.cache import families
from generator.directives import directives
from generator.modules import modules
from generator.settings import settings
from generator.sources import ROOT
from generator.variables import variables


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__.strip())
    folder = ROOT / "docs/reference"
    pages = {
        "redis.md": variables("redis"),
        "redis-directives.md": directives(),
        "citus.md": variables("citus") + settings(),
        "cache.md": variables("cache") + families(),
        "doctor.md": variables("doctor"),
        "monitoring.md": variables("monitoring"),
        "modules.md": modules(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    have = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    stale = sorted(name for name in {*have, *pages} if have.get(name) != pages.get(name))
    if sys.argv[1:]:
        sys.exit(f"docs/reference is not what the code says, run `make docs`: {', '.join(stale)}" if stale else 0)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
