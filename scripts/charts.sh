#!/usr/bin/env bash
# Puts the charting library of the page into lib/, unless it is there: Observable Plot and the D3 that it draws with, from their npm packages.
set -euo pipefail
cd "$(dirname "$0")/.."

D3=d3@7.9.0
D3_SHA256=7e36605710a2ba54846797c8c6d888911341b215ae53257dc32a49a0b824355e
D3_FILE_SHA256=f2094bbf6141b359722c4fe454eb6c4b0f0e42cc10cc7af921fc158fceb86539
PLOT=@observablehq/plot@0.6.17
PLOT_SHA256=4dcc9f7afd10caee8b2283c0075a5765610cfbbf6d7d93cdb153b3b5d3501afc
PLOT_FILE_SHA256=4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/charts-plot-0.6.17-d3-7.9.0"

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

matches() { [ -f "$2" ] && printf '%s  %s\n' "$1" "$2" | sha256sum --check --status; }

# fetch PACKAGE ITS_SHA256 FILE_IN_IT ITS_SHA256 NAME
fetch() {
    if ! matches "$4" "$CACHE/$5"; then
        scripts/setup.sh npm
        local archive work; work=$(mktemp -d "$scratch/XXXXXX")
        echo "fetching $1" >&2
        archive=$(cd "$work" && npm pack --silent "$1") || fail "\`npm pack $1\` failed" "check the network, or build without the page: \`cargo build --release --no-default-features --features s3\`"
        matches "$2" "$work/$archive" || fail "$1 is not the file that was pinned" "do not use it; report this"
        tar -xzf "$work/$archive" -C "$work" "$3"
        matches "$4" "$work/$3" || fail "\`$3\` of $1 is not the file that was pinned" "do not use it; report this"
        mkdir -p "$CACHE"
        # Moved into place whole: two builds at once must never see half a file.
        mv "$work/$3" "$CACHE/$5.$$" && mv "$CACHE/$5.$$" "$CACHE/$5"
    fi
    mkdir -p lib && ln -sf "$CACHE/$5" "lib/$5"
}

[ -f lib/d3.min.js ] && [ -f lib/plot.min.js ] && exit 0
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
fetch "$D3" "$D3_SHA256" package/dist/d3.min.js "$D3_FILE_SHA256" d3.min.js
fetch "$PLOT" "$PLOT_SHA256" package/dist/plot.umd.min.js "$PLOT_FILE_SHA256" plot.min.js
