#!/usr/bin/env bash
# Cost of a load into PostgreSQL: the step `stage events`, which parses JSON and gives it types,
# compared with `psql \copy` of the same rows from a prepared file. Prints a table. The server of the
# tests runs without durability, on the same cores as the program.
# usage: benches/postgres.sh [EVENTS] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-1000000} runs=${2:-3}
program=$PWD/bin/sparkify
[ -x "$program" ] || make build
work=$(mktemp -d); trap 'scripts/postgres.sh stop "$work/server"; rm -rf "$work"' EXIT
# The server runs as another user, who needs access to its folder.
chmod 755 "$work"
scripts/postgres.sh start "$work/server"
url=$(cat "$work/server/url")
"$program" generate "$work/data" --songs 2000 --events "$events" --days 30 --users 5000 --quiet > /dev/null
sql() { PGOPTIONS='-c client_min_messages=warning' psql -X -q -A -t -v ON_ERROR_STOP=1 "$url" "$@"; }

for run in $(seq "$runs"); do
    "$program" create-tables --yes --warehouse "$url" --quiet
    "$program" etl --song-data "$work/data/song_data" --log-data "$work/data/log_data" --warehouse "$url" --output json --quiet > "$work/etl.$run"
    for format in text binary; do
        [ -f "$work/rows.$format" ] || sql -c "\\copy staging_events to '$work/rows.$format' (format $format)"
        sql -c 'drop table if exists copied' -c 'create table copied (like staging_events)'
        start=$(date +%s%N)
        sql -c "\\copy copied from '$work/rows.$format' (format $format)"
        echo "$format $(($(date +%s%N) - start))" >> "$work/copies"
    done
done
python3 - "$work" "$runs" <<'PYTHON'
import json, statistics, sys
work, runs = sys.argv[1], int(sys.argv[2])
loads = [json.load(open(f"{work}/etl.{run}")) for run in range(1, runs + 1)]
steps = {name: statistics.median(s["seconds"] for load in loads for s in load["steps"] if s["name"] == name)
         for name in (s["name"] for s in loads[0]["steps"])}
copies = {"text": [], "binary": []}
for line in open(f"{work}/copies"):
    format, nanoseconds = line.split()
    copies[format].append(int(nanoseconds) / 1e9)
sparkify, rows = steps["stage events"], loads[0]["events_staged"]
print(f"{rows:,} rows of `staging_events` into PostgreSQL, medians of {runs} runs\n")
print("| | seconds | rows per second | relative speed of sparkify |")
print("|---|---:|---:|---:|")
print(f"| `sparkify etl`, step `stage events`: from JSON, with types | {sparkify:.2f} | {rows / sparkify:,.0f} | 1.00 |")
for format, taken in copies.items():
    seconds = statistics.median(taken)
    print(f"| `psql \\copy … (format {format})`, from prepared rows | {seconds:.2f} | {rows / seconds:,.0f} | {seconds / sparkify:.2f} |")
print("\nthe whole load: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items()))
PYTHON
