#!/usr/bin/env bash
# Gain of concurrent requests: small objects from a store with a latency of LATENCY ms, with one GET at
# a time and with many. Prints a table. The S3 emulator of the tests runs in memory and verifies
# signatures, on the same cores as the program.
# usage: benches/s3.sh [OBJECTS] [LATENCY] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
objects=${1:-15000} latency=${2:-20} runs=${3:-3}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/target}"
program=$PWD/bin/sparkify
[ -x "$program" ] || make build
cargo build --release --locked --quiet -p s3-emulator --example bucket
work=$(mktemp -d); trap 'exec 3>&-; rm -rf "$work"' EXIT
store=$CARGO_TARGET_DIR/release/examples/bucket
cd "$work"

# Sequential requests take the latency of each, so a tenth of the objects is enough.
few=$((objects / 10))
"$program" generate data/many --songs "$objects" --events 1 --days 1 --users 1 --quiet > /dev/null
"$program" generate data/few --songs "$few" --events 1 --days 1 --users 1 --quiet > /dev/null
mkfifo end
"$store" data "$latency" < end > exports &
exec 3> end
until [ "$(wc -l < exports)" -ge 2 ]; do sleep 0.1; done
# shellcheck disable=SC1091
source ./exports
for run in $(seq "$runs"); do
    for kind in many few; do
        case $kind in few) concurrency=1 ;; *) concurrency=256 ;; esac
        rm -f now.duckdb*
        "$program" etl --song-data "s3://bucket/$kind/song_data" --warehouse duckdb:now.duckdb --concurrency "$concurrency" \
            --output json --quiet > "$kind.$run"
    done
done
python3 - "$latency" "$runs" <<'PYTHON'
import json, statistics, sys
latency, runs = sys.argv[1], int(sys.argv[2])
print(f"objects from a store with a latency of {latency} ms, medians of {runs} runs\n")
print("| concurrency | objects | listing, s | reading, s | objects per second |")
print("|---:|---:|---:|---:|---:|")
rates = {}
for kind, concurrency in (("few", "1"), ("many", "at most 256")):
    loads = [json.load(open(f"{kind}.{run}")) for run in range(1, runs + 1)]
    steps = [{s["name"]: s["seconds"] for s in load["steps"]} for load in loads]
    reading = statistics.median(s["stage songs"] for s in steps)
    listing = statistics.median(s["list"] for s in steps)
    objects = loads[0]["objects_read"]
    rates[kind] = objects / reading
    print(f"| {concurrency} | {objects:,} | {listing:.2f} | {reading:.2f} | {rates[kind]:,.0f} |")
print(f"\nconcurrent requests are {rates['many'] / rates['few']:.0f} times as fast")
PYTHON
