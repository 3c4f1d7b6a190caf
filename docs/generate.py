#!/usr/bin/env python3
"""Write what is generated: docs/reference/ from the code, the dashboards of the role monitoring, and CHANGELOG.md.

docs/generate.py            write the files
docs/generate.py --check    write nothing; exit 1 and name the files that differ
"""

import sys

from generator.app_env import baseline
from generator.cache import families
from generator.changelog import changelog
from generator.dashboards import dashboards
from generator.directives import directives
from generator.modules import filters, modules
from generator.settings import settings
from generator.sources import ROOT
from generator.variables import variables


def pages():
    """Return {file name: text} of the reference."""
    return {
        "redis.md": variables("redis"),
        "redis-directives.md": directives(),
        "citus.md": variables("citus") + settings(),
        "cache.md": variables("cache") + families(),
        "app-env.md": variables("app_env") + baseline(),
        "doctor.md": variables("doctor"),
        "monitoring.md": variables("monitoring"),
        "health.md": variables("health"),
        "modules.md": modules(),
        "filters.md": filters(),
    }


def stale_of(folder, files):
    """Return the names in a folder that are not what they should be; one that should not be there is among them."""
    folder.mkdir(parents=True, exist_ok=True)
    have = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    return sorted(name for name in {*have, *files} if have.get(name) != files.get(name))


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__.strip())
    generated = {ROOT / "docs/reference": pages(), ROOT / "roles/monitoring/files/dashboards": dashboards()}
    changes, written = changelog(), ROOT / "CHANGELOG.md"
    if sys.argv[1:]:
        stale = [name for folder, files in generated.items() for name in stale_of(folder, files)]
        stale += [written.name] if written.read_text(encoding="utf-8") != changes else []
        sys.exit(f"not what the code says, run `make docs`: {', '.join(stale)}" if stale else 0)
    for folder, files in generated.items():
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    written.write_text(changes, encoding="utf-8")


if __name__ == "__main__":
    main()
