#!/usr/bin/env bash
# Links the charting library of the report page into lib/, unless it is already there: Observable Plot
# and D3, on which it depends, from their npm packages, each with its licence.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

D3=d3@7.9.0
D3_SHA256=7e36605710a2ba54846797c8c6d888911341b215ae53257dc32a49a0b824355e
D3_FILE_SHA256=f2094bbf6141b359722c4fe454eb6c4b0f0e42cc10cc7af921fc158fceb86539
PLOT=@observablehq/plot@0.6.17
PLOT_SHA256=4dcc9f7afd10caee8b2283c0075a5765610cfbbf6d7d93cdb153b3b5d3501afc
PLOT_FILE_SHA256=4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb
cache="$CACHE_ROOT/charts-plot-0.6.17-d3-7.9.0"

# fetch PACKAGE SHA256 FILE SHA256 NAME: links FILE of an npm package as lib/NAME.
fetch() {
    if ! matches "$4" "$cache/$5" || ! [ -f "$cache/$5.LICENSE" ]; then
        scripts/setup.sh npm
        local work
        work=$(mktemp -d "$scratch/XXXXXX")
        npm_pack "$1" "$2" "$work"
        matches "$4" "$work/$3" || fail "checksum mismatch: \`$3\` of $1 is not the pinned file" "do not use it; report this"
        mkdir -p "$cache"
        # Atomic rename: a concurrent build must never see a partial file.
        mv "$work/package/LICENSE" "$cache/$5.LICENSE.$$" && mv "$cache/$5.LICENSE.$$" "$cache/$5.LICENSE"
        mv "$work/$3" "$cache/$5.$$" && mv "$cache/$5.$$" "$cache/$5"
    fi
    mkdir -p lib && ln -sf "$cache/$5" "lib/$5" && ln -sf "$cache/$5.LICENSE" "lib/$5.LICENSE"
}

for file in {d3,plot}.min.js{,.LICENSE}; do [ -f "lib/$file" ] || missing=$file; done
[ -n "${missing:-}" ] || exit 0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fetch "$D3" "$D3_SHA256" package/dist/d3.min.js "$D3_FILE_SHA256" d3.min.js
fetch "$PLOT" "$PLOT_SHA256" package/dist/plot.umd.min.js "$PLOT_FILE_SHA256" plot.min.js
