#!/usr/bin/env bash
# What loading into PostgreSQL costs: our step `stage events`, which reads and types JSON on its way, beside `psql \copy` of the same rows from a
# file that holds them ready. Prints a table. The server is the tests' own, without durability; it shares this machine's cores with the program.
# usage: benches/postgres.sh [EVENTS] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-1000000} runs=${2:-3}
program=$PWD/bin/sparkify
[ -x "$program" ] || make build
work=$(mktemp -d); trap 'scripts/postgres.sh stop "$work/server"; rm -rf "$work"' EXIT
# The server runs as another user, who must get there.
chmod 755 "$work"
scripts/postgres.sh start "$work/server"
url=$(cat "$work/server/url")
"$program" generate "$work/data" --songs 2000 --events "$events" --days 30 --users 5000 --quiet > /dev/null
sql() { PGOPTIONS='-c client_min_messages=warning' psql -X -q -A -t -v ON_ERROR_STOP=1 "$url" "$@"; }

for run in $(seq "$runs"); do
    "$program" create-tables --yes --warehouse "$url" --quiet
    "$program" etl --song-data "$work/data/song_data" --log-data "$work/data/log_data" --warehouse "$url" --output json --quiet > "$work/etl.$run"
    for form in text binary; do
        [ -f "$work/rows.$form" ] || sql -c "\\copy staging_events to '$work/rows.$form' (format $form)"
        sql -c 'drop table if exists copied' -c 'create table copied (like staging_events)'
        start=$(date +%s%N)
        sql -c "\\copy copied from '$work/rows.$form' (format $form)"
        echo "$form $(($(date +%s%N) - start))" >> "$work/copies"
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
    form, nanoseconds = line.split()
    copies[form].append(int(nanoseconds) / 1e9)
ours, rows = steps["stage events"], loads[0]["events_staged"]
print(f"{rows:,} rows of `staging_events` into PostgreSQL, medians of {runs} runs\n")
print("| | seconds | rows a second | speed of ours, to this |")
print("|---|---:|---:|---:|")
print(f"| `sparkify etl`, the step `stage events`: from JSON, typed | {ours:.2f} | {rows / ours:,.0f} | 1.00 |")
for form, taken in copies.items():
    seconds = statistics.median(taken)
    print(f"| `psql \\copy … (format {form})`, from rows that are ready | {seconds:.2f} | {rows / seconds:,.0f} | {seconds / ours:.2f} |")
print("\nthe whole load: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items()))
PYTHON
