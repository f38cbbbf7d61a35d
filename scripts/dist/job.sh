#!/bin/sh
# The main job of an installed program, in the current folder: sample, load, data tests, a saved query, a
# report. It runs in clean environments, so it uses nothing but `sparkify` and the shell.
set -eu
sparkify --version
sparkify --quiet generate sample
sparkify --quiet etl --song-data sample/song_data --log-data sample/log_data
sparkify --quiet check
answer=$(sparkify --quiet query top_songs --limit 1 --format csv)
case "$answer" in
*'Gardener,New Arbor Sound System,593,'*) ;;
*) echo "error: wrong result of top_songs: $answer" >&2; exit 1 ;;
esac
sparkify --quiet report
[ -s report.html ] || { echo "error: no report.html" >&2; exit 1; }
