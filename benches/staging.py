#!/usr/bin/env python3
"""Compares listing and staging with DuckDB's, in interleaved runs. Prints Markdown tables.

usage: benches/staging.py PEERS [--songs N] [--events N] [--users N] [--runs N] [--work FOLDER]

PEERS holds `gen.py`, which generates the input, and `peers/peerlib.py` with the columns. The Python that
runs this script needs the package duckdb. overview.py compares whole loads. Each figure
is the median of the runs, each ratio the median of the ratios of adjacent runs. The files are read once
before, so they come from the page cache. Different row counts end the benchmark.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from overview import PROGRAM, measured

STAGE = """
import duckdb, sys, time
sys.path.insert(0, sys.argv[1]); from peerlib import *
c = duckdb.connect(sys.argv[3]); c.execute(f"set threads={sys.argv[4]}"); c.execute("set preserve_insertion_order=false; set enable_progress_bar=false")
def cols(d): return "columns={" + ",".join(f"{k}:'{v}'" for k, v in d.items()) + "}"
what, src = sys.argv[5], sys.argv[2]
began = time.time()
if what == "events":
    c.execute(f"create table staging as from read_json('{src}/log_data/*/*/*-events.json*', format='newline_delimited', filename=true, {cols(EVENT)})")
elif what == "songs":
    c.execute(f"create table staging as from read_json('{src}/song_data/**/*.json', filename=true, {cols(SONG)})")
else:
    with one_file(src, ".") as file:
        c.execute(f"create table staging as from read_json('{file}', format='newline_delimited', {cols(SONG)})")
print(time.time() - began, c.execute("select count(*) from staging").fetchone()[0])
"""


def sparkify(options, source, threads=None, parts=("song", "log")):
    """Loads into a new warehouse: returns the measurements and the summary."""
    warehouse = os.path.join(options.work, "sparkify.duckdb")
    for leftover in (warehouse, warehouse + ".wal"):
        if os.path.exists(leftover):
            os.remove(leftover)
    command = [PROGRAM, "etl", "--warehouse", f"duckdb:{warehouse}", "--output", "json", "--quiet"]
    for part in parts:
        command += [f"--{part}-data", os.path.join(source, f"{part}_data")]
    (wall, cpu, memory), printed = measured(command + (["--threads", str(threads)] if threads else []))
    return wall, cpu, memory, json.loads(printed)


def staged(options, source, what, threads):
    """DuckDB reads one kind of file into a table: returns the measurements, its own seconds and the rows."""
    out = os.path.join(options.work, "staged.duckdb")
    if os.path.exists(out):
        os.remove(out)
    folder = os.path.join(options.peers, "peers")
    command = [sys.executable, "-c", STAGE, folder, source, out, str(threads), what]
    (wall, cpu, memory), printed = measured(command)
    seconds, rows = printed.splitlines()[-1].split()
    return wall, cpu, memory, (float(seconds), int(rows))


def same(other, own, what):
    if other != own:
        sys.exit(f"{what}: {other} rows, sparkify has {own}")


def table(title, rows):
    """Prints `rows`: name -> list of (wall, cpu, memory), sparkify first."""
    print(f"\n### {title}\n\n| | CPU, s | wall, s | peak MB | CPU, ratio | wall, ratio |\n|---|---:|---:|---:|---:|---:|")
    first = next(iter(rows.values()))
    for name, runs in rows.items():
        middle = [statistics.median(column) for column in zip(*runs)]
        ratio = lambda at: statistics.median(run[at] / own[at] for run, own in zip(runs, first))
        print(f"| {name} | {middle[1]:.2f} | {middle[0]:.2f} | {middle[2]:.0f} | {ratio(1):.2f} | {ratio(0):.2f} |")
    sys.stdout.flush()


def steps(summary, *names):
    """Returns the wall and CPU seconds of these steps."""
    taken = [step for step in summary["steps"] if step["name"] in names]
    return sum(step["seconds"] for step in taken), sum(step["cpu_seconds"] for step in taken)


def events(options, source):
    """Compares the staging step on one thread, where wall seconds are CPU seconds."""
    rows = {"sparkify": [], "DuckDB, read_json": []}
    for _ in range(options.runs):
        *_, memory, summary = sparkify(options, source, threads=1)
        wall, cpu = steps(summary, "stage events")
        rows["sparkify"].append((wall, cpu, memory))
        *_, memory, (seconds, count) = staged(options, source, "events", 1)
        rows["DuckDB, read_json"].append((seconds, seconds, memory))
        same(count, summary["tables"]["staging_events"], "events")
    table("staging of events, one thread", rows)


def songs(options, source, runs):
    whole = "sparkify, with model and data tests"
    rows = {"sparkify": [], whole: [], "find, awk, DuckDB": [], "DuckDB, read_json over a glob": []}
    for _ in range(runs):
        *used, summary = sparkify(options, source, parts=("song",))
        rows["sparkify"].append((*steps(summary, "list", "stage songs"), used[2]))
        rows[whole].append(used)
        for name, what in (("find, awk, DuckDB", "cat"), ("DuckDB, read_json over a glob", "songs")):
            *used, (_, count) = staged(options, source, what, 2)
            rows[name].append(used)
            same(count, summary["tables"]["staging_songs"], name)
    table(f"{options.songs:,} song files, each with one record, listed and staged", rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peers")
    for name, value in (("songs", 20_000), ("events", 2_000_000), ("users", 20_000), ("runs", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--work", default="bench.work")
    options = parser.parse_args()
    options.peers, options.work = os.path.abspath(options.peers), os.path.abspath(options.work)
    source = os.path.join(options.work, f"{options.songs}-{options.events}-{options.users}")
    if not os.path.exists(source):
        os.makedirs(options.work, exist_ok=True)
        shutil.rmtree(source + ".new", ignore_errors=True)
        sizes = [f"--{name}={getattr(options, name)}" for name in ("songs", "events", "users")]
        subprocess.run([sys.executable, os.path.join(options.peers, "gen.py"), source + ".new", *sizes], check=True)
        os.rename(source + ".new", source)
    began = time.time()
    subprocess.run(["sh", "-c", f"find '{source}/log_data' -type f -exec cat {{}} + >/dev/null"], check=True)
    print(f"reading the bytes of the logs: {time.time() - began:.2f} s")
    songs(options, source, min(options.runs, 2))
    events(options, source)
    for name in os.listdir(options.work):
        if name.endswith((".duckdb", ".wal")):
            os.remove(os.path.join(options.work, name))


if __name__ == "__main__":
    main()
