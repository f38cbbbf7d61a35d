"""Packs a staged folder (bin, lib, share, texts) as an archive, a Python wheel and a Debian package.

    scripts/dist/package.py STAGE VERSION OUT

Called by scripts/dist.sh. Equal input gives equal bytes: entries are sorted, owned by root and dated
SOURCE_DATE_EPOCH. The Debian package is built on Debian and its derivatives only.
"""

import base64
import concurrent.futures
import gzip
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

SUMMARY = "Loads song and event files into a star schema in DuckDB, PostgreSQL or Amazon Redshift"
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
# Debian's name of an architecture; other names are those of the kernel.
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
CONTROL = """Package: sparkify
Version: {version}
Architecture: {architecture}
Maintainer: The sparkify authors <sparkify@localhost>
Installed-Size: {kilobytes}
Depends: {depends}
Recommends: ca-certificates
Section: database
Priority: optional
Description: load song and event files into a star schema
 Loads JSON song metadata and user-activity events from folders or S3 into a
 tested star schema in DuckDB, PostgreSQL or Amazon Redshift. Loads are
 incremental, idempotent and atomic. The DuckDB library is included.
"""
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sparkify

Files: *
Copyright: the sparkify authors
License: Apache-2.0
Comment: The licences of the libraries in the program, DuckDB among them, are in
 /usr/share/doc/sparkify/THIRD-PARTY-LICENSES.txt.gz.

License: Apache-2.0
 On Debian systems, the full text of the Apache License, Version 2.0 can be
 found in /usr/share/common-licenses/Apache-2.0.
"""


def run(*command, cwd=None):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout


def files_of(folder):
    """Returns (path below the folder, file) of each file, sorted."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return sorted((file.relative_to(folder).as_posix(), file) for file in found)


def mode_of(file):
    return 0o755 if os.access(file, os.X_OK) else 0o644


def archive(stage, version, out):
    name = f"sparkify-{version}-{platform.machine()}-{'macos' if sys.platform == 'darwin' else 'linux'}"
    target = out / f"{name}.tar.gz"
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=EPOCH) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for below, file in files_of(stage):
                entry = tarfile.TarInfo(f"{name}/{below}")
                entry.size, entry.mode, entry.mtime = file.stat().st_size, mode_of(file), EPOCH
                entry.uname = entry.gname = "root"
                with file.open("rb") as content:
                    tar.addfile(entry, content)
    return target


def newest(versions):
    return max(versions, key=lambda version: [int(part) for part in version.split(".")])


def glibc(binaries):
    """Returns the newest glibc version that a symbol of the binaries requires."""
    symbols = "".join(run("objdump", "-T", str(binary)) for binary in binaries)
    return newest(re.findall(r"\bGLIBC_(\d+(?:\.\d+)+)", symbols))


def macos(binaries):
    """Returns the oldest macOS version that runs the binaries, from their load commands."""
    commands = "".join(run("otool", "-l", str(binary)) for binary in binaries)
    return newest(re.findall(r"\bminos (\d+\.\d+)", commands))


def platform_tag(binaries):
    machine = platform.machine()
    if sys.platform == "darwin":
        return f"macosx_{macos(binaries).split('.')[0]}_0_{machine}"
    major, minor = glibc(binaries).split(".")[:2]
    return f"manylinux_{major}_{minor}_{machine}"


def wheel(stage, version, out):
    """A wheel without Python code: pip puts `bin` into the environment's folder of programs, and the
    rest below its prefix, where the program finds the library as `../lib/sparkify`."""
    tag = f"py3-none-{platform_tag([stage / 'bin/sparkify', *(stage / 'lib/sparkify').iterdir()])}"
    info = f"sparkify-{version}.dist-info"
    target = out / f"sparkify-{version}-{tag}.whl"
    entries = {}
    for below, file in files_of(stage):
        if below.startswith("bin/"):
            entries[f"sparkify-{version}.data/scripts/{below[4:]}"] = (file.read_bytes(), 0o755)
        elif below.startswith(("lib/", "share/")):
            entries[f"sparkify-{version}.data/data/{below}"] = (file.read_bytes(), 0o644)
        elif "LICENSE" in below:
            entries[f"{info}/licenses/{below}"] = (file.read_bytes(), 0o644)
    metadata = [
        "Metadata-Version: 2.4", "Name: sparkify", f"Version: {version}", f"Summary: {SUMMARY}",
        "License-Expression: Apache-2.0", "License-File: LICENSE", "License-File: THIRD-PARTY-LICENSES.txt",
        "Requires-Python: >=3.8",
    ]
    head = ["Wheel-Version: 1.0", "Generator: sparkify", "Root-Is-Purelib: false", f"Tag: {tag}"]
    entries[f"{info}/METADATA"] = ("\n".join([*metadata, ""]).encode(), 0o644)
    entries[f"{info}/WHEEL"] = ("\n".join([*head, ""]).encode(), 0o644)
    record = ""
    for name, (content, _) in sorted(entries.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    date = time.gmtime(EPOCH)[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        # RECORD is the last entry of a wheel.
        for name, (content, mode) in [*sorted(entries.items()), (f"{info}/RECORD", (f"{record}{info}/RECORD,,\n".encode(), 0o644))]:
            entry = zipfile.ZipInfo(name, date)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            packed.writestr(entry, content)
    return target


def required_packages(root):
    """Returns the Debian packages that the program and its library need, from dpkg-shlibdeps."""
    (root / "debian").mkdir()
    (root / "debian/control").write_text("Source: sparkify\n\nPackage: sparkify\nArchitecture: any\n")
    found = run("dpkg-shlibdeps", "-O", "-lusr/lib/sparkify", "-eusr/bin/sparkify",
                "-eusr/lib/sparkify/libduckdb.so", cwd=root)
    shutil.rmtree(root / "debian")
    return found.removeprefix("shlibs:Depends=").strip()


def debian_places(stage):
    """Returns the staged files by their place in the Debian package, and whether each is compressed."""
    places = {}
    for below, file in files_of(stage):
        if below.startswith(("bin/", "lib/", "share/")):
            below = below.replace("zsh/site-functions", "zsh/vendor-completions")
            places[f"usr/{below}"] = (file, "/man/" in below)
        elif below != "LICENSE":
            name = "changelog" if below == "CHANGELOG.md" else below
            places[f"usr/share/doc/sparkify/{name}"] = (file, name != "README.md")
    return places


def debian(stage, version, out):
    with tempfile.TemporaryDirectory() as work:
        root = pathlib.Path(work) / "root"
        for place, (file, compressed) in debian_places(stage).items():
            target = root / (place + ".gz" if compressed else place)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = file.read_bytes()
            target.write_bytes(gzip.compress(content, 9, mtime=0) if compressed else content)
            target.chmod(mode_of(file))
        (root / "usr/share/doc/sparkify/copyright").write_text(COPYRIGHT)
        kilobytes = sum((file.stat().st_size + 1023) // 1024 for _, file in files_of(root))
        sums = "".join(f"{hashlib.md5(file.read_bytes()).hexdigest()}  {below}\n" for below, file in files_of(root))
        depends = required_packages(root)
        architecture = DEBIAN[platform.machine()]
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/md5sums").write_text(sums)
        (root / "DEBIAN/control").write_text(
            CONTROL.format(version=version, architecture=architecture, kilobytes=kilobytes, depends=depends))
        for path in [root, *root.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else mode_of(path))
        target = out / f"sparkify_{version}_{architecture}.deb"
        # One thread: with several, xz writes other bytes.
        run("dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", str(root), str(target))
    return target


def main(stage, version, out):
    stage, out = pathlib.Path(stage), pathlib.Path(out)
    packers = [debian, wheel, archive]
    if not shutil.which("dpkg-shlibdeps"):
        print("no Debian package: dpkg-shlibdeps is not installed", file=sys.stderr)
        packers.remove(debian)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for packed in [pool.submit(packer, stage, version, out) for packer in packers]:
            file = packed.result()
            print(f"{file.stat().st_size / 1e6:6.1f} MB  {file}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("error: package.py takes three arguments\nhint: scripts/dist/package.py STAGE VERSION OUT")
    main(*sys.argv[1:])
