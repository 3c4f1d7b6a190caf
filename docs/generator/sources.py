"""What the pages are made from: files of the repository, read without running a playbook."""

import ast
import importlib.util
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def load(path):
    return yaml.safe_load(text_of(path))


def assigned(path):
    """{name: value} of what a Python file assigns as literals, without running it."""
    names = ("COMPUTED", "DOCUMENTATION", "EXAMPLES", "RETURN")
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text_of(path)).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in names
    }


def documentation(path):
    """The documentation of a module, with the options of the fragments that it extends."""
    spec = yaml.safe_load(assigned(path)["DOCUMENTATION"])
    for name in spec.pop("extends_documentation_fragment", []):
        file, _dot, part = name.removeprefix("cistern.core.").partition(".")
        fragment = run(f"plugins/doc_fragments/{file}.py").ModuleDocFragment
        options = spec.setdefault("options", {})
        for option, facts in yaml.safe_load(getattr(fragment, part.upper() or "DOCUMENTATION"))["options"].items():
            options[option] = {**facts, **options.get(option, {})}
    return spec


def run(path):
    """A Python file of ours that imports nothing of Ansible, as a module: for what it computes."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
