"""What changes: the fragments that no release has taken yet, and below them the releases."""

import textwrap

from generator.markdown import HEADER
from generator.sources import ROOT, load

ABOUT = """# Changelog

The format is that of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).
One line is one change that an operator sees.
"""


def changelog():
    text = HEADER.format("changelogs/") + ABOUT + unreleased()
    # what antsibull-changelog has written, from its first release on
    releases = ROOT / "changelogs/releases.md"
    written = releases.read_text(encoding="utf-8") if releases.exists() else ""
    return text + ("\n<a id=" + written.partition("\n<a id=")[2] if written else "")


def unreleased():
    fragments = [load(path) for path in sorted(ROOT.glob("changelogs/fragments/*.yml"))]
    text = "\n## [Unreleased]\n" if fragments else ""
    for name, title in load("changelogs/config.yaml")["sections"]:
        entries = [entry for fragment in fragments for entry in fragment.get(name, [])]
        if entries:
            text += f"\n### {title}\n\n" + "".join(map(_line, entries))
    return text


def _line(entry):
    words = entry.replace("``", "`")
    return textwrap.fill(words, 140, subsequent_indent="  ", initial_indent="* ", break_on_hyphens=False) + "\n"
