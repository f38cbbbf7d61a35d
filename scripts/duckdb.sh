#!/usr/bin/env bash
# Links the DuckDB library and its licence into lib/, unless they are already there. It comes from the folder in
# DUCKDB_LIB_DIR if that is set, otherwise from the npm package of DuckDB's own Node.js bindings.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

VERSION=1.5.6
PACKAGE_VERSION=1.5.6-r.1

library=libduckdb.so
[ "$(uname -s)" = Darwin ] && library=libduckdb.dylib
mkdir -p lib

if [ -n "${DUCKDB_LIB_DIR:-}" ] && ! [ "$DUCKDB_LIB_DIR" -ef lib ]; then
    [ -f "$DUCKDB_LIB_DIR/$library" ] ||
        fail "no $library in \`$DUCKDB_LIB_DIR\`" "unset DUCKDB_LIB_DIR, or set it to the folder of the library"
    scripts/setup.sh
    ln -sf "$(cd "$DUCKDB_LIB_DIR" && pwd -P)/$library" "lib/$library"
    exit 0
fi

if [ -f "lib/$library" ] && [ -f lib/duckdb.LICENSE ]; then
    scripts/setup.sh
    exit 0
fi

# Checksums of the npm package and of the library in it. The library for macOS is one universal binary.
case "$(uname -s)-$(uname -m)" in
Linux-x86_64)
    platform=linux-x64
    package_sha256=1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff
    library_sha256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
    ;;
Linux-aarch64)
    platform=linux-arm64
    package_sha256=3a45a6305b3235a781ed9de25aa795a3862acd042782d1f864e1bdb656de212b
    library_sha256=23686593dba4ec22c6e581bb1c843b3964e84c4bc4d0063d8b4daddd2e20e30a
    ;;
Darwin-arm64)
    platform=darwin-arm64
    package_sha256=6ca33c2c6566246d6a452e24194f004010dd860d5b2764c7143ff255555862ca
    library_sha256=75a519cb914ae36ca22cff0995a8a2e8c9a46990b8c0a479514f741a0d93f344
    ;;
Darwin-x86_64)
    platform=darwin-x64
    package_sha256=1004f6a9ec624612e8d30e25010070e7e3aac23fc807146a470c5a4f6f6e38e0
    library_sha256=75a519cb914ae36ca22cff0995a8a2e8c9a46990b8c0a479514f741a0d93f344
    ;;
*)
    fail "no prebuilt DuckDB library for $(uname -s) on $(uname -m)" \
        "set DUCKDB_LIB_DIR to a folder with libduckdb 1.5, or run \`cargo build --release --features bundled\` (about an hour)"
    ;;
esac
cache="$CACHE_ROOT/duckdb-$VERSION-$platform"

if matches "$library_sha256" "$cache/$library" && [ -f "$cache/LICENSE" ]; then
    scripts/setup.sh
else
    scripts/setup.sh npm
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    npm_pack "@duckdb/node-bindings-$platform@$PACKAGE_VERSION" "$package_sha256" "$work"
    matches "$library_sha256" "$work/package/$library" ||
        fail "checksum mismatch: $library is not the pinned library" "do not use it; report this"
    mkdir -p "$cache"
    # Atomic rename: a concurrent build must never see a partial library.
    for file in LICENSE "$library"; do
        mv "$work/package/$file" "$cache/$file.$$" && mv "$cache/$file.$$" "$cache/$file"
    done
fi
ln -sf "$cache/$library" "lib/$library"
ln -sf "$cache/LICENSE" lib/duckdb.LICENSE
