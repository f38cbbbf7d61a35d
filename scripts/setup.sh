#!/usr/bin/env bash
# What a build needs and a bare Debian lacks: a C compiler, cargo, and npm where something is still to be fetched with it (DuckDB; with the argument `npm`, whatever else).
set -euo pipefail

missing=()
command -v cc >/dev/null || missing+=(build-essential)
[ "${1:-}" != npm ] || command -v npm >/dev/null || missing+=(npm)
[ "${1:-}" = npm ] || [ -n "${DUCKDB_LIB_DIR:-}" ] || [ -f "$(dirname "$0")/../lib/libduckdb.so" ] || command -v npm >/dev/null || missing+=(npm)
if [ "${#missing[@]}" -gt 0 ]; then
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    if ! command -v apt-get >/dev/null || { [ "${#as_root[@]}" -gt 0 ] && ! command -v sudo >/dev/null; }; then
        printf 'error: %s is needed\nhint: install it with your system'"'"'s package manager\n' "${missing[*]}" >&2
        exit 2
    fi
    "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi
command -v cargo >/dev/null || {
    printf 'error: `cargo` is needed\nhint: install Rust 1.95 or later with rustup\n' >&2
    exit 2
}
