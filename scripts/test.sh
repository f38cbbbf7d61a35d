#!/usr/bin/env bash
# Installs and starts the requirements of the tests, and runs them.
#
#   scripts/test.sh                        every test
#   scripts/test.sh --test it -- export    arguments of `cargo test`, then of the test programs
#
# DUCKDB_LIB_DIR names the folder of another DuckDB library to run the tests with. They are built with
# the pinned one. scripts/duckdb_next.sh prepares the library of the next major version.
# SPARKIFY_CASES=5000 sets the number of cases of the property tests. SPARKIFY_COURSE=FOLDER names the
# course data (default: ../shared/data/course, if it exists). Tests on them are marked as ignored,
# and included if the folder is known. The last line of the output says whether they ran.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/target}"
for tool in bash mkfifo sha256sum; do
    command -v "$tool" >/dev/null || { printf 'error: the tests need `%s`\nhint: install it\n' "$tool" >&2; exit 2; }
done
if [ -n "${DUCKDB_LIB_DIR:-}" ] && ! [ "$DUCKDB_LIB_DIR" -ef lib ]; then
    export LD_LIBRARY_PATH="$DUCKDB_LIB_DIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    unset DUCKDB_LIB_DIR
fi
# The tests call Python clients, open the report page in a browser, and print it to PDF.
missing=()
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
command -v chromium >/dev/null || missing+=(chromium)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
command -v pdftotext >/dev/null || missing+=(poppler-utils)
if [ "${#missing[@]}" -gt 0 ]; then
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    command -v apt-get >/dev/null || { printf 'error: the tests need %s\nhint: install it\n' "${missing[*]}" >&2; exit 2; }
    echo "installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi
# An independent Redshift grammar, the AWS SDK for the Data API, clients of Redshift, other versions of
# DuckDB, and the tools of examples/, fetched before the build.
for environment in sqlfluff boto3 redshift_drivers redshift_tools duckdb15 duckdb20 dbt dagster airflow; do scripts/python.sh "$environment"; done
# A PostgreSQL server for this run.
postgres=$(mktemp -d)
moto=$(mktemp -d)
trap 'scripts/postgres.sh stop "$postgres"; scripts/moto.sh stop "$moto"; rm -rf "$postgres" "$moto"' EXIT
scripts/postgres.sh start "$postgres"
command -v psql >/dev/null || { printf 'error: the tests need `psql`\nhint: install it\n' >&2; exit 2; }
SPARKIFY_TEST_POSTGRES=$(cat "$postgres/url")
export SPARKIFY_TEST_POSTGRES SPARKIFY_TEST_POSTGRES_CA="$postgres/ca.pem"
# An independent emulator of the AWS control plane.
scripts/moto.sh start "$moto"
SPARKIFY_TEST_MOTO=$(cat "$moto/url")
export SPARKIFY_TEST_MOTO
selected=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do selected+=("$1"); shift; done
[ $# = 0 ] || shift
tests=(cargo test --release --config tests/profile.toml --locked --workspace "${selected[@]}")

course=${SPARKIFY_COURSE:-}
if [ -z "$course" ] && [ -d ../shared/data/course ]; then course=$(realpath ../shared/data/course); fi
included=()
if [ -n "$course" ]; then included=(--include-ignored); fi
# --show-output prints the number of cases.
"${tests[@]}" --no-fail-fast -- "$@" "${included[@]}" --show-output --test-threads "$(nproc)"
number=$("${tests[@]}" --quiet -- "$@" --list --ignored | grep -c ': test$' || true)
if [ -n "$course" ]; then
    echo "course data: $number tests ran on $course"
else
    echo "course data: $number tests did not run; set SPARKIFY_COURSE=FOLDER to enable them"
fi
