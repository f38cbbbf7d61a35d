#!/usr/bin/env bash
# A second opinion on what is sent to Redshift: sqlfluff, written by others, reads every file of FOLDER as one statement of Redshift.
# Prints the files that it cannot read, one a line, and exits with 1 if there are any.
set -euo pipefail
here=$(dirname "$0")

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

[ $# = 1 ] || fail "no folder was named" "scripts/sqlfluff.sh FOLDER"
[ -d "$1" ] || fail "there is no folder \`$1\`" "give a folder with one statement a file"

exec "$here/python.sh" sqlfluff - "$1" <<'PYTHON'
"""Reads every file of a folder; says which hold what sqlfluff cannot read."""
import pathlib
import sys

from sqlfluff.core import FluffConfig, Linter

files = sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_file())
if not files:
    sys.exit(f"error: there is no file in `{sys.argv[1]}`\nhint: one statement a file")
linter = Linter(config=FluffConfig(overrides={"dialect": "redshift", "templater": "raw"}))
unread = []
for path in files:
    parsed = linter.parse_string(path.read_text(encoding="utf-8"), fname=path.name)
    variant = parsed.root_variant()
    tree = variant.tree if variant else None
    if tree is None or any(tree.recursive_crawl("unparsable")):
        unread.append(path.name)
print("\n".join(unread), end="\n" if unread else "")
print(f"sqlfluff read {len(files) - len(unread)} of {len(files)} statements", file=sys.stderr)
sys.exit(1 if unread else 0)
PYTHON
