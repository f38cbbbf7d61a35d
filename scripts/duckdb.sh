#!/usr/bin/env bash
# Puts the ready DuckDB library into lib/, unless it is there: taken from DUCKDB_LIB_DIR if that is set, else from the package of DuckDB's own Node bindings.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh

PACKAGE=@duckdb/node-bindings-linux-x64@1.5.6-r.1
PACKAGE_SHA256=1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff
LIBRARY_SHA256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/duckdb-1.5.6"

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

matches() { [ -f "$2" ] && printf '%s  %s\n' "$1" "$2" | sha256sum --check --status; }

if [ -n "${DUCKDB_LIB_DIR:-}" ] && [ "$(realpath -m "$DUCKDB_LIB_DIR")" != "$(realpath -m lib)" ]; then
    found=$(find "$DUCKDB_LIB_DIR" -maxdepth 1 -name 'libduckdb.*' | head -n 1)
    [ -n "$found" ] || fail "no libduckdb in \`$DUCKDB_LIB_DIR\`" "unset DUCKDB_LIB_DIR, or point it at a folder that holds the library"
    mkdir -p lib && ln -sf "$(realpath "$found")" lib/
    exit 0
fi

[ -f lib/libduckdb.so ] && exit 0

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
    fail "no ready DuckDB library is known for $(uname -s) on $(uname -m)" \
         "set DUCKDB_LIB_DIR to a folder with libduckdb 1.5, or build with \`cargo build --release --features bundled\` (about an hour)"

if ! matches "$LIBRARY_SHA256" "$CACHE/libduckdb.so"; then
    command -v npm >/dev/null || fail "\`npm\` fetches the DuckDB library, and is not installed" "run \`apt-get install npm\`, or set DUCKDB_LIB_DIR"
    work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
    echo "fetching DuckDB ($PACKAGE)" >&2
    archive=$(cd "$work" && npm pack --silent "$PACKAGE") || fail "\`npm pack $PACKAGE\` failed" "check the network, or set DUCKDB_LIB_DIR"
    matches "$PACKAGE_SHA256" "$work/$archive" || fail "$PACKAGE is not the file that was pinned" "do not use it; report this"
    tar -xzf "$work/$archive" -C "$work" package/libduckdb.so
    mkdir -p "$CACHE"
    # Moved into place whole: two builds at once must never see half a library.
    mv "$work/package/libduckdb.so" "$CACHE/libduckdb.so.$$" && mv "$CACHE/libduckdb.so.$$" "$CACHE/libduckdb.so"
fi
mkdir -p lib && ln -sf "$CACHE/libduckdb.so" lib/libduckdb.so
