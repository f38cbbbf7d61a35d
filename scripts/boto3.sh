#!/usr/bin/env bash
# A client of Amazon's own, boto3: runs the Python file FILE with it. Without FILE it is only installed.
set -euo pipefail
VERSION=1.44.5
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/boto3-$VERSION"

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

if [ ! -x "$CACHE/bin/python" ]; then
    command -v python3 >/dev/null || fail "\`python3\` calls the Data API with boto3, and is not installed" "run \`apt-get install python3 python3-venv\`"
    # Made aside and moved into place whole: two runs at once must never see half of it.
    work="$CACHE.$$"; trap 'rm -rf "$work"' EXIT
    mkdir -p "$(dirname "$CACHE")"
    python3 -m venv "$work" || fail "a virtual environment could not be made" "run \`apt-get install python3-venv\`"
    echo "fetching boto3 $VERSION" >&2
    "$work/bin/python" -m pip install --quiet --disable-pip-version-check "boto3==$VERSION" "botocore==$VERSION" ||
        fail "\`pip install boto3==$VERSION\` failed" "check the network"
    mv -T "$work" "$CACHE" 2>/dev/null || [ -x "$CACHE/bin/python" ] || fail "boto3 could not be put into \`$CACHE\`" "remove that folder"
fi
[ $# -gt 0 ] || exit 0
exec "$CACHE/bin/python" "$@"
