#!/usr/bin/env bash
# Runs third-party Python programs that the tests use, each in a virtual environment in the user's cache.
# Every package is pinned to a version and a checksum in scripts/python/NAME.txt.
#
#   scripts/python.sh NAME                installs the environment, unless it is already there
#   scripts/python.sh NAME ARGUMENT …     runs its Python with arguments: a FILE, `-m MODULE`, or `-`
#
# NAME is boto3 (the AWS SDK), sqlfluff (a SQL linter with a grammar of Redshift), moto (an AWS emulator),
# duckdb15 or duckdb20 (DuckDB 1.5 and 2.0), installers (pipx and uv), redshift_drivers or redshift_tools
# (clients of Redshift), peers (other solutions, for benches), or a tool of examples/: airflow, dagster or dbt.
set -euo pipefail
folder=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/common.sh
. "$folder/common.sh"

name=${1:-}
requirements="$folder/python/$name.txt"
[ -f "$requirements" ] || fail "unknown environment \`$name\`" "scripts/python.sh airflow|boto3|dagster|dbt|duckdb15|duckdb20|installers|moto|peers|redshift_drivers|redshift_tools|sqlfluff [ARGUMENT …]"
shift
# A change of the requirements creates a new environment.
checksum=$(sha256 "$requirements")
home="$CACHE_ROOT/python/$name-${checksum:0:12}"

if [ ! -x "$home/bin/python" ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3 python3-venv
    # Created in a temporary folder and renamed: a concurrent run must never see a partial environment. A
    # renamed environment works as long as it is run by its python.
    work="$home.$$"
    trap 'rm -rf "$work"' EXIT
    mkdir -p "${home%/*}"
    python3 -m venv "$work" || fail "cannot create a virtual environment" "run \`apt-get install python3-venv\`"
    echo "downloading $name" >&2
    # Wheels only: a source package would run its build script, with build tools that no checksum covers.
    "$work/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: --requirement "$requirements" >&2 ||
        fail "cannot install $name" "check the network and that python3 is 3.11 or later"
    # rename() fails if a concurrent run has created the environment: then that one is used.
    python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$work" "$home" 2>/dev/null || true
    [ -x "$home/bin/python" ] || fail "cannot create \`$home\`" "remove that folder and try again"
    trap - EXIT
    rm -rf "$work"
fi
[ $# -gt 0 ] || exit 0
exec "$home/bin/python" "$@"
