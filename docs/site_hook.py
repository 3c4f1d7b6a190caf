"""What mkdocs has to know of this repository: pages that lie outside docs/, and links that lead out of it.

Links are written for whoever reads the files. Here one that leads to a page becomes a link to that page, and one that
leads to another file leads to the repository.
"""

import os
import re
from pathlib import Path

import yaml
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
# Address on the site, and the file at the root that is read there.
OUTSIDE = {"overview.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changes.md": "CHANGELOG.md"}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
# What a browser would fetch from elsewhere when it shows a page.
FETCHED = re.compile(r"<(?:script|img|iframe|link)\b[^>]* (?:src|href)=\"?(?:https?:)?//[^>]*>")


def repository():
    return yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]


def on_config(config):
    """Replace `folder/*` in the nav by the pages of this folder, so that a new alert is there by itself."""
    config.nav = _spelled_out(config.nav, Path(config.docs_dir))


def _spelled_out(nav, docs):
    if isinstance(nav, dict):
        return {title: _spelled_out(below, docs) for title, below in nav.items()}
    if isinstance(nav, str):
        return nav
    pages = []
    for entry in nav:
        if isinstance(entry, str) and entry.endswith("/*"):
            pages += sorted(path.relative_to(docs).as_posix() for path in docs.glob(f"{entry}.md"))
        else:
            pages.append(_spelled_out(entry, docs))
    return pages


def on_files(files, config):
    for address, name in OUTSIDE.items():
        files.append(File.generated(config, address, abs_src_path=str(ROOT / name)))


def on_page_markdown(markdown, page, config, files):
    sources = {Path(file.abs_src_path).resolve(): file.src_uri for file in files}
    here = Path(page.file.abs_src_path).resolve().parent

    def led(found):
        target = (here / found[1]).resolve()
        if target in sources:
            return "](" + os.path.relpath(sources[target], os.path.dirname(page.file.src_uri))
        if target.exists() and target.is_relative_to(ROOT):
            kind = "tree" if target.is_dir() else "blob"
            return f"]({repository()}/{kind}/main/{target.relative_to(ROOT)}"
        return found[0]

    return LINK.sub(led, markdown)


def on_post_page(output, page, config):
    """The site is read where there is no way out, and nobody else is told who reads it."""
    if fetched := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches something from elsewhere: {fetched[0]}")
