#!/usr/bin/env python3
"""Do the unit tests notice a mistake? Makes one at a time in pure code and data, and runs the tests that could tell.

tests/mutants/run.py                       200 of them, drawn by the seed 1; takes ten minutes
tests/mutants/run.py --count 20 --seed 7   others
tests/mutants/run.py --only redis/instance those of these files

Works in a copy. A mistake that no test notices survives and is named; tests/mutants/survivors.yml has those that are
none, each with its reason. The exit code is 1 where more than 5 in 100 survive without one.
"""

import argparse
import ast
import contextlib
import functools
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import mistakes
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ansible_collections.cistern.core.plugins."
SECONDS, OF_A_TEST = 300, 30  # a test that computes for longer than this goes round in a circle
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
SAME_SOURCE = "not (what_is_generated or everything_is_documented)"


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
    """Return the test files that could tell, those of its own domain first, then those that import least."""
    path = ROOT / name
    able = [test for test, reached in known.items() if path in reached or any(map(reads(path), [test, *reached]))]
    domain = path.relative_to(ROOT).parts[1 if path.suffix == ".yml" and name.startswith("roles/") else 2]
    own = {test: domain != test.parent.name for test in able}
    return [str(test.relative_to(ROOT)) for test in sorted(able, key=lambda test: (own[test], len(known[test]), test))]


def reads(path):
    """Return what says whether a file of Python reads this one: data by its name or the roles, a filter by all."""
    words = ["plugins/filter/*.py"] if path.parent.name == "filter" else []
    if path.suffix == ".yml":
        words = [path.name] if "data" in path.parts else ["roles/", '"roles"', "role_files"]
    return lambda reader: any(word in text_of(reader) for word in words)


@functools.cache
def text_of(path):
    return path.read_text(encoding="utf-8")


def preload():
    """Import what tests need and is not ours, so that each run of them begins with it; leave what is compiled."""
    with quiet():
        pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "tests/unit"])
    here = f"{Path.cwd()}/"
    for name, module in list(sys.modules.items()):
        if name.startswith("ansible_collections") or (getattr(module, "__file__", None) or "").startswith(here):
            del sys.modules[name]


@contextlib.contextmanager
def quiet():
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def noticed(tests, words):
    """Whether one of the tests fails; one that hangs has noticed too."""
    if not tests:
        return False
    process = multiprocessing.get_context("fork").Process(target=_run, args=(tests, words))
    process.start()
    process.join(SECONDS)
    if process.exitcode is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode not in (0, 5)


class Impatient:
    """Ends the run where a test, or what is read before the first, computes for too long."""

    def pytest_sessionstart(self):
        signal.setitimer(signal.ITIMER_PROF, OF_A_TEST)

    def pytest_runtest_logstart(self):
        signal.setitimer(signal.ITIMER_PROF, OF_A_TEST)


def _run(tests, words):
    os.setpgid(0, 0)
    for name in ("stdout", "stderr"):
        os.dup2(os.open(os.devnull, os.O_WRONLY), getattr(sys, name).fileno())
    os._exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-k", words, *tests], [Impatient()]))


def copied(folder):
    copy = Path(folder) / "copy"
    left = shutil.ignore_patterns(".git", ".venv", ".state", "site", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=left)
    return copy


@contextlib.contextmanager
def changed(target, text):
    """A file is another one for a while. It gets its time back too, by which Python knows what it has compiled."""
    was, times = target.read_bytes(), target.stat()
    target.write_text(text, encoding="utf-8")
    yield was.decode()
    target.write_bytes(was)
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--skip", type=int, default=0, help="begin after so many")
    told = parser.parse_args()
    listed = yaml.safe_load((Path(__file__).parent / "survivors.yml").read_text(encoding="utf-8"))
    reasons = {(each["file"], each["line"], each["mistake"]): each["reason"] for each in listed}
    known, survived, excused, began = imported(), [], [], time.monotonic()
    chosen = drawn(told.count, told.seed, told.only)[told.skip :]
    able = {name: tests_for(name, known) for name, *_more in chosen}
    with tempfile.TemporaryDirectory(prefix="cistern-mutants-") as folder:
        copy = copied(folder)
        os.chdir(copy)
        preload()
        if noticed(sorted({test for tests in able.values() for test in tests}), SAME_SOURCE):
            sys.exit("without a mistake a test fails: pytest tests/unit")
        sys.dont_write_bytecode = True
        for number, (name, line, what, text) in enumerate(chosen, start=1):
            with changed(copy / name, text) as was:
                is_noticed = noticed(able[name], SAME_SOURCE)
            if not is_noticed:
                source, here = was.splitlines()[line - 1].strip(), f"{name}:{line}: {what}"
                reason = reasons.get((name, source, what))
                (excused if reason else survived).append(here)
                print(f"{'no mistake' if reason else 'SURVIVED'}  {here}\n            {source}", flush=True)
            if number % 20 == 0:
                print(f"{number} of {len(chosen)}, {time.monotonic() - began:.0f} s", flush=True)
    share = len(survived) / max(1, len(chosen))
    print(f"{len(chosen)} mistakes, seed {told.seed}: {len(survived)} survived ({share:.1%}), {len(excused)} are none")
    sys.exit(share > ALLOWED)


if __name__ == "__main__":
    main()
