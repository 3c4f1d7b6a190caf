"""The cases of a decision: the YAML files of a folder below tests/unit/cases, read in one way."""

import difflib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/unit/cases"


class Cases:
    """Those of a folder like `redis/instance`. A case has no other keys than these: one that is misspelt says nothing.

    What `entries` names is a mapping of names, as `hosts`, with the keys that each of its entries may have.
    """

    def __init__(self, folder, *keys, **entries):
        self.folder, self.keys, self.entries = folder, {*keys, *entries}, entries
        self.paths = sorted((FOLDER / folder).glob("*.yml"))

    def __len__(self):
        return len(self.paths)

    def each(self, test):
        """Run a test with the path of each of them."""
        return pytest.mark.parametrize("path", self.paths, ids=lambda path: path.stem)(test)

    def read(self, path):
        """Return a case by its file, or by the file's name."""
        path = FOLDER / self.folder / f"{path}.yml" if isinstance(path, str) else path
        case = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        wrong = list(self._wrong(case))
        if wrong:
            pytest.fail("\n".join(f"{path.relative_to(ROOT)}: {text}" for text in wrong), pytrace=False)
        return case

    def read_all(self):
        return {path.stem: self.read(path) for path in self.paths}

    def _wrong(self, case):
        yield from _unknown(case, self.keys, f"a case of {self.folder}")
        for name in [name for name in self.entries if isinstance(case, dict) and isinstance(case.get(name), dict)]:
            for entry, keys in case[name].items():
                if keys is not None:
                    yield from _unknown(keys, self.entries[name], f"an entry of {name}", f"{name}: {entry}: ")


def _unknown(found, keys, whose, where=""):
    if not isinstance(found, dict):
        yield f"{where}must be a mapping; {whose} has {', '.join(sorted(keys))}"
        return
    for key in [key for key in found if key not in keys]:
        nearest = difflib.get_close_matches(str(key), keys, n=1)
        meant = f", meant is perhaps {nearest[0]}" if nearest else ""
        yield f"{where}unknown key {key}{meant}; {whose} has {', '.join(sorted(keys))}"
