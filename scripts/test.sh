#!/usr/bin/env bash
# Every test, with what it needs. SPARKIFY_CASES=5000 asks the property tests for more cases.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/target}"
for tool in bash mkfifo sha256sum; do
    command -v "$tool" >/dev/null || { printf 'error: the tests need `%s`\nhint: install it\n' "$tool" >&2; exit 2; }
done
# Clients and judges that others wrote run in Python; a real browser looks at the page, and its print is read.
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
# The real data is compared whenever it lies beside the project; a run that says it is there must find it.
[ -d ../shared/data/course ] && export SPARKIFY_NEEDS_COURSE=1
# Somebody else's grammar of Redshift, which reads what the tests send; fetched before anything is compiled.
scripts/python.sh sqlfluff
# Amazon's own client of the Data API, which calls the emulator.
scripts/python.sh boto3
# A PostgreSQL server of the tests' own, for as long as they run.
postgres=$(mktemp -d)
moto=$(mktemp -d)
trap 'scripts/postgres.sh stop "$postgres"; scripts/moto.sh stop "$moto"; rm -rf "$postgres" "$moto"' EXIT
scripts/postgres.sh start "$postgres"
command -v psql >/dev/null || { printf 'error: the tests need `psql`\nhint: install it\n' >&2; exit 2; }
SPARKIFY_TEST_POSTGRES=$(cat "$postgres/url")
export SPARKIFY_TEST_POSTGRES SPARKIFY_TEST_POSTGRES_CA="$postgres/ca.pem"
# A control plane of AWS that others wrote.
scripts/moto.sh start "$moto"
SPARKIFY_TEST_MOTO=$(cat "$moto/url")
export SPARKIFY_TEST_MOTO
# The tests say how much they tried: show it.
cargo test --release --locked --workspace -- --show-output --test-threads "$(nproc)"
