"""One mistake at a time: what a slip of the hand would make of Python and of data in YAML."""

import ast
import re

import yaml

COMPARED = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
SIGNS = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Mod: "*"}


def of_python(text):
    """Return [(line, what the mistake is, the text with it)] of a module; docstrings and imports are let be."""
    tree, lines = ast.parse(text), Lines(text)
    found = []
    for node in ast.walk(tree):
        for what, begin, end, other in _slips(node, text, lines):
            found.append((node.lineno, what, text[:begin] + other + text[end:]))
    return found


class Lines:
    """Places of a text: ast tells lines, and columns in bytes."""

    def __init__(self, text):
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line, column):
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def of(self, node):
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)


def _slips(node, text, lines):
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
        begin, end = lines.of(node.left)[1], lines.of(node.comparators[0])[0]
        was = re.search(r"not in|is not|in|is|[=!<>]=?", text[begin:end])
        if was:
            other = COMPARED[type(node.ops[0])]
            yield f"{was[0]} is {other}", begin + was.start(), begin + was.end(), other
    elif isinstance(node, ast.BoolOp):
        begin, end = lines.of(node.values[0])[1], lines.of(node.values[1])[0]
        was = re.search(r"\b(and|or)\b", text[begin:end])
        if was:
            other = "or" if was[0] == "and" else "and"
            yield f"{was[0]} is {other}", begin + was.start(), begin + was.end(), other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        begin, end = lines.of(node)
        yield "without not", begin, lines.of(node.operand)[0], ""
    elif isinstance(node, ast.BinOp) and type(node.op) in SIGNS and not isinstance(node.left, ast.Constant):
        begin, end = lines.of(node.left)[1], lines.of(node.right)[0]
        was = re.search(r"//|[-+*%]", text[begin:end])
        if was:
            other = SIGNS[type(node.op)]
            yield f"{was[0]} is {other}", begin + was.start(), begin + was.end(), other
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} is {not node.value}", *lines.of(node), str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield f"{node.value} is {node.value + 1}", *lines.of(node), str(node.value + 1)
    elif isinstance(node, (ast.If, ast.IfExp)):
        begin, end = lines.of(node.test)
        yield "a condition is turned", begin, end, f"(not ({text[begin:end]}))"
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        begin, end = lines.of(node.value)
        yield "nothing is returned", begin, end, "None"


def of_yaml(text):
    """Return the same of a file of data: a value is another one, or an entry is missing."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.split(" #")[0]
        for was in re.finditer(r"(?<=: )(true|false|-?\d+)(?=$|[,}\] ])", bare):
            other = {"true": "false", "false": "true"}.get(was[0]) or str(int(was[0]) + 1)
            found.append((number, f"{was[0]} is {other}", _replaced(text, number, was, other)))
        for was in re.finditer(r"(?<=\[)([a-z][\w-]*), |, ([a-z][\w-]*)(?=\])", bare):
            found.append((number, f"without {was[1] or was[2]}", _replaced(text, number, was, "")))
        for was in re.finditer(r", ([a-z_]+: [\w.-]+)(?=[,}])", bare):
            found.append((number, f"without {was[1]}", _replaced(text, number, was, "")))
    return [each for each in found if _is_other(text, each[2])]


def _replaced(text, number, was, other):
    lines = text.splitlines(keepends=True)
    line = lines[number - 1]
    lines[number - 1] = line[: was.start()] + other + line[was.end() :]
    return "".join(lines)


def _is_other(text, changed):
    """Whether it is still YAML, and means something else."""
    try:
        return yaml.safe_load(changed) != yaml.safe_load(text)
    except yaml.YAMLError:
        return False
