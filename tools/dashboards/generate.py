#!/usr/bin/env python3
"""Write roles/monitoring/files/dashboards/ from the dashboards of this folder.

tools/dashboards/generate.py            write the files
tools/dashboards/generate.py --check    write nothing; exit 1 and name the files that differ
"""

import json
import sys
from pathlib import Path

from citus import citus
from families import families
from instance import instance
from overview import overview

FOLDER = Path(__file__).resolve().parents[2] / "roles/monitoring/files/dashboards"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__.strip())
    boards = [overview(), instance(), families(), citus()]
    files = {f"{board['uid']}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n" for board in boards}
    FOLDER.mkdir(parents=True, exist_ok=True)
    have = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    stale = sorted(name for name in {*have, *files} if have.get(name) != files.get(name))
    if sys.argv[1:]:
        sys.exit(f"run tools/dashboards/generate.py, since these differ: {', '.join(stale)}" if stale else 0)
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
