#!/usr/bin/env bash
# Cost of a daily load as the history grows: one day into 1, 10 and 100 days of the same size.
# Prints a table with medians of RUNS interleaved runs.
# usage: benches/growth.sh [EVENTS_PER_DAY] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
per_day=${1:-20000} runs=${2:-5}
program=$PWD/bin/sparkify
[ -x "$program" ] || make build
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"

"$program" generate all --songs 5000 --events $((per_day * 101)) --days 101 --users $((per_day)) --quiet >/dev/null
find all/log_data -name '*-events.json' | sort > days
# Old modification times identify versions, as in a bucket.
find all -type f -exec touch -d '2020-01-01' {} +
load() { "$program" etl --song-data all/song_data --log-data "d$1" --warehouse "duckdb:$2" --output json --quiet; }
for days in 1 10 100; do
    mkdir "d$days"
    head -n "$days" days | xargs cp -p -t "d$days"
    load "$days" "base$days.duckdb" > /dev/null
    # A second load, when the copies are old enough to be identified by their times, records their
    # versions. Otherwise the measured load would compare the content of all of them.
    sleep 2.5
    load "$days" "base$days.duckdb" > /dev/null
    cp -p "$(tail -n 1 days)" "d$days"
done
for run in $(seq "$runs"); do
    for days in 1 10 100; do
        cp "base$days.duckdb" now.duckdb
        /usr/bin/time -f '%U %S %M' -o used "$program" etl --song-data all/song_data --log-data "d$days" \
            --warehouse duckdb:now.duckdb --output json --quiet > "summary.$days.$run"
        read -r user system memory < used
        echo "$user $system $memory" > "used.$days.$run"
    done
done
python3 - "$per_day" "$runs" <<'PYTHON'
import json, statistics, sys
per_day, runs = int(sys.argv[1]), int(sys.argv[2])
print(f"one day of {per_day:,} events, medians of {runs} runs\n")
print("| history, days | events before | load, s | CPU, s | peak MB | of which: stage | affected keys | model | check | publish |")
print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
for days in (1, 10, 100):
    steps, cpu, memory = [], [], []
    for run in range(1, runs + 1):
        steps.append({s["name"]: s["seconds"] for s in json.load(open(f"summary.{days}.{run}"))["steps"]})
        used = open(f"used.{days}.{run}").read().split()
        cpu.append(float(used[0]) + float(used[1])); memory.append(int(used[2]) / 1024)
    part = lambda names: statistics.median(sum(s.get(n, 0) for n in names) for s in steps)
    model = ["songs", "artists", "users", "user_levels", "songplays", "time"]
    cells = [days, f"{days * per_day:,}", f"{statistics.median(sum(s.values()) for s in steps):.2f}",
             f"{statistics.median(cpu):.2f}", f"{statistics.median(memory):.0f}"]
    cells += [f"{part(n):.2f}" for n in (["stage events"], ["retire", "find affected keys"], model, ["check"], ["publish"])]
    print("| " + " | ".join(map(str, cells)) + " |")
PYTHON
