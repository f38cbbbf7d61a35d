#!/usr/bin/env bash
# A second opinion on what is sent to Redshift: sqlfluff, written by others, reads every file of FOLDER as one statement of Redshift.
# Prints the files that it cannot read, one a line, and exits with 1 if there are any. Without FOLDER it is only installed.
set -euo pipefail
VERSION=4.5.0
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/sqlfluff-$VERSION"

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

if [ ! -x "$CACHE/bin/python" ]; then
    command -v python3 >/dev/null || fail "\`python3\` reads statements with sqlfluff, and is not installed" "run \`apt-get install python3 python3-venv\`"
    # Made aside and moved into place whole: two runs at once must never see half of it. A virtual environment may be moved as long as it is run by its python.
    work="$CACHE.$$"; trap 'rm -rf "$work"' EXIT
    mkdir -p "$(dirname "$CACHE")"
    python3 -m venv "$work" || fail "a virtual environment could not be made" "run \`apt-get install python3-venv\`"
    echo "fetching sqlfluff $VERSION" >&2
    "$work/bin/python" -m pip install --quiet --disable-pip-version-check "sqlfluff==$VERSION" ||
        fail "\`pip install sqlfluff==$VERSION\` failed" "check the network"
    mv -T "$work" "$CACHE" 2>/dev/null || [ -x "$CACHE/bin/python" ] || fail "sqlfluff could not be put into \`$CACHE\`" "remove that folder"
fi
[ $# -gt 0 ] || exit 0
[ -d "$1" ] || fail "there is no folder \`$1\`" "give a folder with one statement a file"

exec "$CACHE/bin/python" - "$1" <<'PYTHON'
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
