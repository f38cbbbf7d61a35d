#!/usr/bin/env bash
# Gain of parallel range requests: one large object from a store with RATE MB/s per connection and
# LATENCY ms before the first byte, as one stream and in ranges, and from a folder. Prints a table. The
# S3 emulator of the tests runs in memory and verifies signatures, on the same cores as the program.
# usage: benches/ranges.sh [EVENTS] [RATE] [LATENCY] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-640000} rate=${2:-60} latency=${3:-20} runs=${4:-3}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/target}"
program=$PWD/bin/sparkify
[ -x "$program" ] || make build
cargo build --release --locked --quiet -p s3-emulator --example bucket
work=$(mktemp -d); trap 'exec 3>&-; rm -rf "$work"' EXIT
store=$CARGO_TARGET_DIR/release/examples/bucket
cd "$work"

"$program" generate data --songs 100 --events "$events" --days 1 --quiet > /dev/null
mkfifo end
"$store" data "$latency" "$rate" < end > exports &
exec 3> end
until [ "$(wc -l < exports)" -ge 2 ]; do sleep 0.1; done
# shellcheck disable=SC1091
source ./exports
for run in $(seq "$runs"); do
    for kind in stream ranges folder; do
        logs=s3://bucket/log_data concurrency=256
        case $kind in stream) concurrency=1 ;; folder) logs=data/log_data ;; esac
        rm -f now.duckdb*
        /usr/bin/time -f %M -o "$kind.$run.peak" "$program" etl --log-data "$logs" --warehouse duckdb:now.duckdb \
            --concurrency "$concurrency" --output json --quiet > "$kind.$run"
    done
done
python3 - "$rate" "$latency" "$runs" "$(find data/log_data -type f -printf '%s')" <<'PYTHON'
import json, statistics, sys
rate, latency, runs, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) / 1e6
print(f"one object of {size:.0f} MB, {rate} MB/s per connection after {latency} ms, medians of {runs} runs\n")
print("| | reading, s | MB per second | whole load, s | peak MB |")
print("|---|---:|---:|---:|---:|")
times = {}
for kind, label in (("stream", "one stream"), ("ranges", "ranges"), ("folder", "from a folder")):
    loads = [json.load(open(f"{kind}.{run}")) for run in range(1, runs + 1)]
    steps = [{s["name"]: s["seconds"] for s in load["steps"]} for load in loads]
    times[kind] = reading = statistics.median(s["stage events"] for s in steps)
    whole = statistics.median(sum(s.values()) for s in steps)
    peak = statistics.median(int(open(f"{kind}.{run}.peak").read().split()[-1]) / 1000 for run in range(1, runs + 1))
    print(f"| {label} | {reading:.2f} | {size / reading:,.0f} | {whole:.2f} | {peak:.0f} |")
print(f"\nranges are {times['stream'] / times['ranges']:.1f} times as fast as one stream")
PYTHON
