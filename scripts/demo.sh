#!/usr/bin/env bash
# Generates a small sample, loads it into sparkify.duckdb, tests the data and runs a few saved queries.
# Idempotent: a second run loads nothing again.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\n$ sparkify %s\n' "$*"; bin/sparkify "$@"; }

[ -d sample/log_data ] || say generate sample --songs 2000 --events 100000 --days 30 --users 500 --awkward
say etl --song-data sample/song_data --log-data sample/log_data
say check
for question in top_songs plays_by_level plays_by_weekday; do say query "$question"; done
printf '\nThe warehouse is sparkify.duckdb. Next: bin/sparkify query --list, bin/sparkify describe, bin/sparkify --help\n'
