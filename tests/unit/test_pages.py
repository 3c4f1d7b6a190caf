"""What pages for people say of the repository: commands, paths and links that exist."""

import re
from collections import Counter
from pathlib import Path

import markdown
import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("inventories/*/README.md")])

# What git ignores is made by a run: a fresh checkout is without it.
MADE = tuple(line.strip("/") + "/" for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split())


def named(path):
    return str(path.relative_to(ROOT))


def test_there_are_pages():
    assert len(PAGES) >= 8


def targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def code_in(text):
    """Inline code, and each line of a block."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return inline + [line.strip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_make_commands_exist(path):
    lines = code_in(path.read_text(encoding="utf-8"))
    told = {found[1] for line in lines if (found := re.match(r"make ([a-z]+)", line))}
    assert told <= targets()
    assert path.name != "README.md" or path.parent != ROOT or {"up", "test"} <= told


def path_of(word):
    """The path below the root that inline code names, a placeholder as *; None where it is something else."""
    pattern = re.sub(r"<[^>]*>|NAME|\*+", "*", word).rstrip("/")
    if f"{pattern}/".startswith(MADE):
        return None
    known = {path.name for path in ROOT.iterdir()}
    return pattern if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+", pattern) and pattern.split("/")[0] in known else None


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_paths_in_pages_exist(path):
    words = [word for line in code_in(path.read_text(encoding="utf-8")) for word in line.split()]
    assert [word for word in words if path_of(word) and not list(ROOT.glob(path_of(word)))] == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_in_pages_lead_somewhere(path):
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"https?:", link):
            continue
        file, _sep, anchor = link.partition("#")
        target = (path.parent / file) if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def anchors(page):
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def shape(html):
    """How many there are of each element; paragraphs within an item of a list differ without a difference to see."""
    return Counter(tag for tag in re.findall(r"<(\w+)[ >/]", html) if tag != "p")


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_the_site_shows_what_a_viewer_of_files_shows(path):
    text = path.read_text(encoding="utf-8")
    site = markdown.markdown(text, extensions=["tables", "fenced_code"])
    assert shape(site) == shape(MarkdownIt("commonmark").enable("table").render(text))


def test_readme_is_short_and_names_paths():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    assert len({path_of(word) for line in code_in(text) for word in line.split()} - {None}) >= 15
