"""What a repository offers, asked of apt itself with a small signed repository."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from ansible_collections.cistern.core.plugins.modules import apt_candidates

TOOLS = ("apt-get", "apt-ftparchive", "dpkg", "gpg")
with_apt = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root and {', '.join(TOOLS)}"
)
SOURCE = {"name": "citus", "uri": "http://x/archive/", "suite": "noble", "key": "/keys/citus.asc"}
OTHER = {"name": "postgresql", "uri": "http://y", "suite": "noble-pgdg", "key": "k", "key_url": "https://y/key"}
PACKAGES = {
    "cistern-test-15-citus-13.2": ("13.2.1.citus-1", "13.2.10.citus-1", "13.2.2.citus-1"),
    "cistern-test-15-citus-12.1": ("12.1.12.citus-1",),
    "cistern-test-15-citus": ("14.4.0",),
    "cistern-test-15-citus-tools": ("1.0",),
}


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (
            "W: GPG error: http://x/archive noble InRelease: The following signatures couldn't be verified because the "
            "public key is not available: NO_PUBKEY 12AB\nE: The repository 'http://x/archive noble' is not signed.",
            "the repository http://x/archive/ is not signed by /keys/citus.asc: write the key that signs it (GPG error",
        ),
        (
            "E: The repository 'http://y noble-pgdg Release' is not signed.",
            "the repository http://y is not signed by https://y/key: write the key that signs it (",
        ),
        (
            "Ign:1 something\nE: Failed to fetch http://x/archive/dists/noble/InRelease  404  Not Found",
            "the repository http://x/archive/, suite noble, cannot be read: Failed to fetch http://x/archive/dists/",
        ),
        ("E: Problem one\nE: Problem two", "Problem one; Problem two"),
        ("killed\n", "killed"),
    ],
)
def test_what_apt_says_names_the_repository(says, told):
    assert apt_candidates.complaint(says, [SOURCE, OTHER]).startswith(told)


class Archive:
    """A folder that has a signed repository, and its key."""

    def __init__(self, folder):
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir(mode=0o700)
        self.gpg("--passphrase", "", "--quick-generate-key", "archive@example.org", "ed25519", "sign", "never")
        self.key = self.gpg("--armor", "--export", "archive@example.org")
        lists = folder / "dists/noble/main" / f"binary-{self.run('dpkg', '--print-architecture').strip()}"
        lists.mkdir(parents=True)
        (lists / "Packages").write_text("\n".join(stanzas()), encoding="utf-8")
        words = ("Suite=noble", "Components=main", f"Architectures={lists.name.removeprefix('binary-')}")
        options = [word for text in words for word in ("-o", f"APT::FTPArchive::Release::{text}")]
        release = self.run("apt-ftparchive", *options, "release", "dists/noble")
        (folder / "dists/noble/Release").write_text(release, encoding="utf-8")
        self.gpg("--yes", "--clearsign", "--output", "dists/noble/InRelease", "dists/noble/Release")

    def run(self, *words):
        return subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def gpg(self, *words):
        return self.run("gpg", "--homedir", str(self.home), "--batch", *words)

    def source(self, **change):
        usual = {"name": "citus", "uri": f"file:{self.folder}", "suite": "noble", "components": ["main"]}
        return {**usual, "key": "/keys/citus.asc", "key_content": self.key, **change}


def stanzas():
    for name, versions in PACKAGES.items():
        for version in versions:
            file = f"Filename: pool/{name}_{version}.deb\nSize: 1\nSHA256: {'0' * 64}"
            about = "Architecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: nothing"
            yield f"Package: {name}\nVersion: {version}\n{about}\n{file}\n"


@pytest.fixture(scope="module")
def archive():
    """Not in tmp_path: apt reads as a user of its own, and gpg takes short paths alone."""
    folder = Path(tempfile.mkdtemp(prefix="archive-"))
    folder.chmod(0o755)
    made = Archive(folder)
    yield made
    made.run("gpgconf", "--homedir", str(made.home), "--kill", "all")
    shutil.rmtree(folder)


@pytest.fixture
def lists():
    folder = Path(tempfile.mkdtemp(prefix="offer-"))
    yield lambda source: apt_candidates.read_lists(
        str(folder), [source], {source["name"]: apt_candidates.key_of(source)}
    )
    shutil.rmtree(folder)


def package(name="cistern-test-15-citus-13.2", version=""):
    return {"name": name, "version": version, "like": "cistern-test-15-citus"}


@with_apt
@pytest.mark.parametrize(
    ("version", "chosen"),
    [
        ("", "13.2.10.citus-1"),
        ("13.2", "13.2.10.citus-1"),
        ("13.2.1", "13.2.1.citus-1"),
        ("13.2.2", "13.2.2.citus-1"),
        ("13.2.10.citus-1", "13.2.10.citus-1"),
    ],
)
def test_the_newest_version_that_fits_is_chosen(archive, lists, version, chosen):
    options = lists(archive.source())
    found = apt_candidates.chosen(options, package(version=version), [archive.source()])
    assert found == f"cistern-test-15-citus-13.2={chosen}"


@with_apt
def test_what_a_repository_lacks_is_told_with_what_it_has(archive, lists):
    options, sources = lists(archive.source()), [archive.source()]
    with pytest.raises(apt_candidates.Missing) as told:
        apt_candidates.chosen(options, package(version="13.2.3"), sources)
    versions = "13.2.10.citus-1, 13.2.2.citus-1, 13.2.1.citus-1"
    where = f"file:{archive.folder} (noble)"
    assert str(told.value) == f"{where} has no cistern-test-15-citus-13.2 of version 13.2.3; it has {versions}"
    with pytest.raises(apt_candidates.Missing) as told:
        apt_candidates.chosen(options, package("cistern-test-15-citus-14.0"), sources)
    names = "cistern-test-15-citus, cistern-test-15-citus-12.1, cistern-test-15-citus-13.2"
    assert str(told.value) == f"{where} has no cistern-test-15-citus-14.0; it has {names}"


@with_apt
def test_a_repository_leaves_no_trace_on_the_machine(archive, lists):
    lists(archive.source())
    assert apt_candidates.versions([], "cistern-test-15-citus-13.2") == []


@with_apt
def test_a_wrong_key_is_told(archive, lists):
    home = archive.folder / "other"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
    archive.run(*gpg, "--quick-generate-key", "other@example.org", "ed25519", "sign", "never")
    key = archive.run(*gpg, "--armor", "--export", "other@example.org")
    archive.run("gpgconf", "--homedir", str(home), "--kill", "all")
    with pytest.raises(apt_candidates.Missing, match="is not signed by /keys/citus.asc: write the key that signs it"):
        lists(archive.source(key_content=key))


@with_apt
def test_a_suite_that_is_not_there_is_told(archive, lists):
    with pytest.raises(apt_candidates.Missing, match="suite jammy, cannot be read"):
        lists(archive.source(suite="jammy"))


def test_a_key_that_cannot_be_fetched_is_told(tmp_path):
    source = {**SOURCE, "key_url": f"file://{tmp_path}/none"}
    with pytest.raises(apt_candidates.Missing, match="cannot be fetched"):
        apt_candidates.key_of(source)
