#!/usr/bin/env bash
# Prepares the library of DuckDB 2.0 for the tests, and prints its folder. No registry has libduckdb 2.0
# yet, but the module of the Python package exports the same C API. It also refers to symbols of Python's
# interpreter; an empty library defines them. Not for production: the module is made for Python only.
#
#   DUCKDB_LIB_DIR=$(scripts/duckdb_next.sh) scripts/test.sh --test it -- end_to_end
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

[ "$(uname -s)" = Linux ] || fail "DuckDB 2.0 cannot be prepared on $(uname -s)" "run this on Linux"
module=$(scripts/python.sh duckdb20 -c 'import _duckdb; print(_duckdb.__file__)')
folder="${module%/lib/python*}/libduckdb"
if [ ! -f "$folder/libduckdb.so" ]; then
    scripts/setup.sh patchelf
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    nm -D --undefined-only "$module" | sed -n 's/.* \(_\{0,1\}Py[A-Za-z0-9_]*\).*/void *\1[64];/p' | sort -u >"$work/symbols.c"
    cc -shared -fPIC -Wl,-soname,libsymbols.so -o "$work/libsymbols.so" "$work/symbols.c"
    install -m 755 "$module" "$work/libduckdb.so"
    patchelf --add-needed libsymbols.so "$work/libduckdb.so"
    # shellcheck disable=SC2016 # of the dynamic linker
    patchelf --set-rpath '$ORIGIN' "$work/libduckdb.so"
    mkdir -p "$folder"
    for file in libsymbols.so libduckdb.so; do
        mv "$work/$file" "$folder/$file.$$" && mv "$folder/$file.$$" "$folder/$file"
    done
fi
printf '%s\n' "$folder"
