#!/usr/bin/env bash
# Independent check of the statements for Redshift: sqlfluff, another linter, parses every file of
# FOLDER as one statement. Prints the files that it cannot parse, one per line, and exits with 1 if there
# are any.
#
#   scripts/sqlfluff.sh FOLDER
set -euo pipefail

exec "$(dirname "$0")/python.sh" sqlfluff - "$@" <<'PYTHON'
import pathlib
import sys

from sqlfluff.core import FluffConfig, Linter

files = sorted(path for folder in sys.argv[1:] for path in pathlib.Path(folder).glob("*") if path.is_file())
if not files:
    print("error: no files to parse\nhint: scripts/sqlfluff.sh FOLDER, with one statement per file", file=sys.stderr)
    sys.exit(2)
linter = Linter(config=FluffConfig(overrides={"dialect": "redshift", "templater": "raw"}))
failed = []
for path in files:
    parsed = linter.parse_string(path.read_text(encoding="utf-8"), fname=path.name)
    variant = parsed.root_variant()
    tree = variant.tree if variant else None
    if tree is None or any(tree.recursive_crawl("unparsable")):
        failed.append(path.name)
print("\n".join(failed), end="\n" if failed else "")
print(f"sqlfluff parsed {len(files) - len(failed)} of {len(files)} statements", file=sys.stderr)
sys.exit(1 if failed else 0)
PYTHON
