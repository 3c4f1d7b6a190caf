"""Build the packages of the stand-in. Runs on a host that will take them, or on one like it, as root:

python3 build.py SOURCES OUTPUT [VERSION ...]
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

POSTGRESQL = "15"
# What a release installs: the version of the extension, and that of citus_columnar.
RELEASES = {"13.0.5": ("13.0-1", "12.2-1"), "13.2.1": ("13.2-1", "13.2-1"), "13.2.2": ("13.2-1", "13.2-1")}

CONTROL = """\
Package: {package}
Version: {version}.citus-1
Architecture: {architecture}
Maintainer: Cistern <cistern@example.com>
Section: database
Priority: optional
Depends: libc6, postgresql-{postgresql}
Provides: postgresql-{postgresql}-citus
Conflicts: postgresql-{postgresql}-citus
Replaces: postgresql-{postgresql}-citus
Description: stand-in for Citus, for Cistern's tests
 Not Citus, and nothing of it: what its functions, views and settings answer
 to those who look after a cluster, without distributed tables.
"""

NOTICE = """\
This is a stand-in for the Citus extension, written for the tests of Cistern. It is not Citus and contains nothing of
it: no row leaves the coordinator. Its names are those of Citus, so that what is written for Citus can be tried.
"""


def run(*command, cwd=None, check=True):
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, cwd=cwd, env=environment, check=check, capture_output=True, text=True).stdout


def headers(work):
    """The server's headers. Their package wants LLVM, which is hundreds of megabytes and is not needed here."""
    found = Path(f"/usr/include/postgresql/{POSTGRESQL}/server")
    if found.is_dir():
        return found
    run("apt-get", "download", "-q", f"postgresql-server-dev-{POSTGRESQL}", cwd=work)
    (package,) = work.glob("postgresql-server-dev-*.deb")
    run("dpkg-deb", "--extract", package, work / "dev")
    return work / "dev" / found.relative_to("/")


def compile_library(sources, include, version, extension, target):
    defines = {
        "STANDIN_VERSION": version,
        "STANDIN_EXTENSION_VERSION": extension,
        "STANDIN_MACHINE": f"{platform.machine()}-pc-linux-gnu",
    }
    flags = ["-O2", "-Wall", "-Werror", "-fPIC", "-shared", "-D_GNU_SOURCE", f"-I{include}"]
    flags += [f'-D{name}="{value}"' for name, value in defines.items()]
    run("gcc", *flags, sources / "citus.c", "-o", target)


def number(version):
    return [int(part) for part in version.replace("-", ".").split(".")]


def scripts(sources, name, version):
    """Those that lead to a version, by their names, and none that leads beyond it. A folder is a script in parts."""
    for path in sources.glob(f"{name}--*"):
        if number(path.name.removesuffix(".sql").split("--")[-1]) <= number(version):
            parts = sorted(path.iterdir()) if path.is_dir() else [path]
            yield f"{path.name.removesuffix('.sql')}.sql", "\n".join(part.read_text(encoding="utf-8") for part in parts)


def build(sources, include, work, output, version):
    extension, columnar = RELEASES[version]
    package = f"postgresql-{POSTGRESQL}-citus-{version.rpartition('.')[0]}"
    root = work / version
    library = root / f"usr/lib/postgresql/{POSTGRESQL}/lib"
    share = root / f"usr/share/postgresql/{POSTGRESQL}/extension"
    about = root / "usr/share/doc" / package
    for folder in (library, share, about, root / "DEBIAN"):
        folder.mkdir(parents=True)
    compile_library(sources, include, version, extension, library / "citus.so")
    for name, its_version in (("citus", extension), ("citus_columnar", columnar)):
        control = (sources / f"{name}.control").read_text(encoding="utf-8")
        (share / f"{name}.control").write_text(control.replace("@VERSION@", its_version), encoding="utf-8")
        for script, text in scripts(sources, name, its_version):
            (share / script).write_text(text, encoding="utf-8")
    (about / "NOTICE").write_text(NOTICE, encoding="utf-8")
    (root / "DEBIAN/control").write_text(
        CONTROL.format(
            package=package,
            version=version,
            postgresql=POSTGRESQL,
            architecture=run("dpkg", "--print-architecture").strip(),
        ),
        encoding="utf-8",
    )
    run("dpkg-deb", "--root-owner-group", "--build", root, output)


def main(sources, output, versions):
    os.nice(19)
    # a source that does not answer, such as the archive that these packages are for, is none of our business
    run("apt-get", "update", "-q", check=False)
    if not shutil.which("gcc"):
        run("apt-get", "install", "-qy", "--no-install-recommends", "gcc", "libc6-dev")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        include = headers(work)
        for version in versions or RELEASES:
            build(sources, include, work, output, version)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"`{' '.join(map(str, error.cmd))}` failed: {error.stderr.strip()}")
