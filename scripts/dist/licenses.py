"""Licences of everything in a release artifact, as one text on standard output.

    scripts/dist/licenses.py TARGET LIB

TARGET is the Rust target, LIB the folder with the libraries and their licences. The crates come from
`cargo metadata`, their texts from their folders. Each package is named on a line, then every different
text follows once, with the packages that it is the licence of. `scripts/test_dist.sh` compares the
list with `cargo tree`.
"""

import json
import pathlib
import re
import subprocess
import sys
import tarfile

NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")
COMMENT = re.compile(r"/\*.*?\*/|(?:^[ \t]*//[^\n]*\n)+", re.DOTALL | re.MULTILINE)
MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def fail(message, hint):
    sys.exit(f"error: {message}\nhint: {hint}")


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], check=True, capture_output=True, text=True).stdout


def crates(target):
    """Returns the metadata of each registry crate that the dependency graph of the program reaches."""
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", target))
    packages = {package["id"]: package for package in metadata["packages"]}
    dependencies = {
        node["id"]: [dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        for node in metadata["resolve"]["nodes"]
    }
    waiting = [id for id, package in packages.items() if package["name"] == "sparkify"]
    reached = set()
    while waiting:
        id = waiting.pop()
        if id not in reached:
            reached.add(id)
            waiting += dependencies[id]
    found = [packages[id] for id in reached if packages[id]["source"]]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def texts_of(crate):
    """Returns the licence files of a crate. A crate without one has the text of its declared licence."""
    folder = pathlib.Path(crate["manifest_path"]).parent
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name.upper().startswith(NAMES))
    # Source files that happen to have such a name.
    files = [file for file in files if file.suffix not in (".rs", ".toml", ".json", ".html", ".py")]
    if files:
        return [file.read_text(encoding="utf-8", errors="replace") for file in files]
    name = crate["name"]
    if crate["license"] != "MIT":
        fail(f"crate `{name}` has no licence file and is not under MIT", f"add its text to `{__file__}`")
    authors = ", ".join(re.sub(r" <.*?>", "", author) for author in crate["authors"])
    return [f"MIT License\n\nCopyright (c) {authors or f'the authors of {name}'}\n\n{MIT}"]


def inside_duckdb(sources):
    """Returns (name, notice) of each library in DuckDB's sources, whose notices are in comments."""
    notices = {}
    with tarfile.open(sources) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            parts = member.name.split("/")
            if not member.isfile() or "third_party" not in parts[:-2]:
                continue
            name = parts[parts.index("third_party") + 1]
            notices.setdefault(name, {})
            text = archive.extractfile(member).read(200_000).decode("utf-8", errors="replace")
            for comment in COMMENT.findall(text):
                if re.search(r"copyright\b.*\d{4}|\(c\) |SPDX-License|public domain|licensed (to|under)", comment, re.IGNORECASE):
                    lines = (line.strip().lstrip("/*").strip() for line in comment.splitlines())
                    notice = "\n".join(lines).strip().rstrip("*/ \n")
                    notices[name][notice] = None
    return [(f"{name} (in DuckDB)", "\n\n".join(found)) for name, found in sorted(notices.items())]


def main(target, lib):
    listed, texts = [], {}

    def add(title, licence, found):
        listed.append(f"{title}: {licence}")
        for text in found:
            unified = "\n".join(line.rstrip() for line in text.strip().splitlines())
            texts.setdefault(unified, []).append(title)

    for title, file, licence in (("DuckDB", "duckdb", "MIT"), ("D3", "d3.min.js", "ISC"), ("Observable Plot", "plot.min.js", "ISC")):
        path = pathlib.Path(lib) / f"{file}.LICENSE"
        if not path.is_file():
            fail(f"no licence of {title} in `{lib}`", "run `scripts/duckdb.sh` and `scripts/charts.sh`")
        add(title, licence, [path.read_text(encoding="utf-8")])
    found = crates(target)
    for crate in found:
        add(f"{crate['name']} {crate['version']}", crate["license"], texts_of(crate))
    bindings = next(crate for crate in found if crate["name"] == "libduckdb-sys")
    for name, notice in inside_duckdb(pathlib.Path(bindings["manifest_path"]).parent / "duckdb.tar.gz"):
        add(name, "see its notice" if notice else "no notice in its sources", [notice] if notice else [])
    rust = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    standard = f"Rust standard library {rust}"
    add(standard, "MIT OR Apache-2.0", [f"MIT License\n\nCopyright (c) The Rust Project Contributors\n\n{MIT}"])
    print("Licences of the libraries in sparkify. Its own licence is in the file LICENSE.\n")
    print("\n".join(listed))
    for text, titles in texts.items():
        print(f"\n{'=' * 80}\n{', '.join(dict.fromkeys(titles))}\n{'-' * 80}\n{text}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        fail("licenses.py takes two arguments", "scripts/dist/licenses.py TARGET LIB")
    main(*sys.argv[1:])
