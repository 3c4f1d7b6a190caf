#!/usr/bin/env python3
"""Do the unit tests notice a mistake? Makes one at a time in pure code and data, and runs the tests that could tell.

tests/mutants/run.py                       200 of them, drawn by the seed 1; takes half an hour
tests/mutants/run.py --count 20 --seed 7   others
tests/mutants/run.py --only redis/instance those of these files

Works in a copy. A mistake that no test notices survives and is named; tests/mutants/survivors.yml has those that are
none, each with its reason. The exit code is 1 where more than 5 in 100 survive without one.
"""

import argparse
import ast
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mistakes
import yaml

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ansible_collections.cistern.core.plugins."
SECONDS = 300
ALLOWED = 0.05
# What decides, and touches nothing. What reads or changes a machine is held by the scenarios.
HOST, CONTROLLER = "plugins/module_utils", "plugins/plugin_utils"
PURE = [
    *(f"{HOST}/**/{name}.py" for name in ("plan", "describe", "replication", "judge", "unit_judge")),
    *(f"{HOST}/redis/{name}.py" for name in ("conf", "topology", "sentinel/conf")),
    *(f"{HOST}/citus/{name}.py" for name in ("server/settings", "tables/keys")),
    *(f"{HOST}/cache/{name}.py" for name in ("key_patterns", "inspect/key_stats")),
    *(f"{HOST}/host/{name}.py" for name in ("endpoint", "secrets")),
    *(f"{CONTROLLER}/**/*.py", "plugins/filter/*.py"),
]
# These read the variables of a run, or files of the controller, by Ansible's own means.
NOT_PURE = {"hostvars.py", "rendering.py", "role_files.py", "polling.py", "module_args.py", "__init__.py", "check.py"}
DATA = [f"{CONTROLLER}/**/data/*.yml", "roles/*/defaults/main.yml", "roles/*/vars/main/baseline.yml"]
# They compare a text with another that is made of the same source, so that they would notice any change of data.
SAME_SOURCE = "not (what_is_generated or returns_what_it_says or everything_is_documented)"


def drawn(count, seed, only):
    """Return [(path, line, what, text)] of mistakes, files in turn so that long ones have no more than short ones."""
    found = []
    paths = [path for pattern in (*PURE, *DATA) for path in sorted(ROOT.glob(pattern)) if path.name not in NOT_PURE]
    for path in dict.fromkeys(paths):
        name = str(path.relative_to(ROOT))
        if only and not any(word in name for word in only):
            continue
        text = path.read_text(encoding="utf-8")
        some = mistakes.of_yaml(text) if path.suffix == ".yml" else mistakes.of_python(text)
        random.Random(seed).shuffle(some)  # each by itself: a change of one file draws no others of the next
        found.append([(name, *each) for each in some])
    turns = [each[turn] for turn in range(max(map(len, found), default=0)) for each in found if turn < len(each)]
    return turns[:count]


def imported():
    """Return {test file: modules of the plugins that it imports, also by way of others}."""
    modules = {
        PREFIX + ".".join(path.relative_to(ROOT / "plugins").with_suffix("").parts): path
        for path in ROOT.glob("plugins/**/*.py")
    }
    modules |= {path.stem: path for path in ROOT.glob("tests/support/*.py")}
    tests = [*ROOT.glob("tests/unit/**/test_*.py")]
    direct = {path: _imports(path, modules) for path in [*modules.values(), *tests]}
    found = {}
    for test in tests:
        reached, waiting = set(), [test]
        while waiting:
            for path in direct[waiting.pop()] - reached:
                reached.add(path)
                waiting.append(path)
        found[test] = reached
    return found


def _imports(path, modules):
    found, own = set(), ".".join(path.relative_to(ROOT).parts[1:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {modules[alias.name] for alias in node.names if alias.name in modules}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = own.split(".")
                base = PREFIX + ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
            names = [base, *[f"{base}.{alias.name}" for alias in node.names]]
            found |= {modules[name] for name in names if name in modules}
    return found


def tests_for(name, known):
    """Return the test files that could tell, those first that import least: they are about it."""
    path = ROOT / name
    if path.suffix == ".yml":
        return [str(test.relative_to(ROOT)) for test in sorted(known)]
    able = [test for test, reached in known.items() if path in reached]
    return [str(test.relative_to(ROOT)) for test in sorted(able, key=lambda test: (len(known[test]), test))]


def noticed(copy, tests):
    """Whether one of the tests fails; one that hangs has noticed too."""
    if not tests:
        return False
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", SAME_SOURCE, *tests]
    try:
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode not in (0, 5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    told = parser.parse_args()
    reasons = yaml.safe_load((Path(__file__).parent / "survivors.yml").read_text(encoding="utf-8")) or {}
    known, survived, excused, began = imported(), [], [], time.monotonic()
    chosen = drawn(told.count, told.seed, told.only)
    with tempfile.TemporaryDirectory(prefix="cistern-mutants-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(
            ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", ".state", "site", "__pycache__")
        )
        for number, (name, line, what, text) in enumerate(chosen, start=1):
            target = copy / name
            was = target.read_text(encoding="utf-8")
            target.write_text(text, encoding="utf-8")
            is_noticed = noticed(copy, tests_for(name, known))
            target.write_text(was, encoding="utf-8")
            here = f"{name}:{line}: {what}"
            if not is_noticed:
                source = was.splitlines()[line - 1].strip()
                reason = reasons.get(f"{name}: {what}: {source}")
                (excused if reason else survived).append(here)
                print(f"{'no mistake' if reason else 'SURVIVED'}  {here}\n            {source}", flush=True)
            if number % 20 == 0:
                print(f"{number} of {len(chosen)}, {time.monotonic() - began:.0f} s", flush=True)
    share = len(survived) / max(1, len(chosen))
    print(f"{len(chosen)} mistakes, seed {told.seed}: {len(survived)} survived ({share:.1%}), {len(excused)} are none")
    sys.exit(share > ALLOWED)


if __name__ == "__main__":
    main()
