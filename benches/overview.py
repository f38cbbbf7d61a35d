#!/usr/bin/env python3
"""Measures each kind of work against what a user would pick instead, and prints one Markdown table.

usage: benches/overview.py PEERS [--runs N] [--small] [--only NAME,…] [--work FOLDER]

PEERS holds `gen.py` and `peers/NAME.py IN OUT`, whose output is a DuckDB
file or a folder of Parquet files. The other solutions run in environments
of scripts/python.sh (duckdb15, duckdb20, peers), PostgreSQL is the server of the tests, without
durability. Runs alternate; files are read once before, so they come from the page cache. Each figure is
the median with the smallest and the largest run, each ratio the median of the ratios of adjacent runs.
Before a time counts, the results are compared: rows, start times and matches of the plays, users, songs,
times. Different results end the benchmark. `--small` tries everything on a hundredth of the data.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PROGRAM = os.path.join(ROOT, "bin", "sparkify")
# Rows, sum of the start times in ms and matched plays of `songplays`; rows of other tables.
RESULTS = """
import duckdb, sys
out = sys.argv[1]
c = duckdb.connect(out, read_only=True) if out.endswith(".duckdb") else duckdb.connect()
t = (lambda x: sys.argv[2] + x) if out.endswith(".duckdb") else (lambda x: f"'{out}/{x}.parquet'")
print(*c.execute(f"select count(*), sum(epoch_ms(start_time::timestamp)), count(song_id) from {t('songplays')}").fetchone(),
      *(c.execute(f"select count(*) from {t(x)}").fetchone()[0] for x in ("users", "songs", "time")))
"""
COPY = """
import duckdb, sys
c = duckdb.connect(sys.argv[1], read_only=True)
c.execute(f"copy ({open(sys.argv[2]).read().strip().rstrip(';')}) to '{sys.argv[3]}' (format parquet, compression zstd)")
"""


def python(environment):
    """Returns the Python of an environment of scripts/python.sh."""
    script = [os.path.join(ROOT, "scripts", "python.sh"), environment, "-c", "import sys; print(sys.executable)"]
    return subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def measured(command):
    """Runs a process; returns wall and CPU seconds and the peak in MB of it and its children, and its output."""
    began = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return (time.time() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), printed


def etl(source, warehouse):
    """Loads; returns the measurements and the summary."""
    command = [PROGRAM, "etl", "--warehouse", warehouse, "--output", "json", "--quiet"]
    command += ["--song-data", f"{source}/song_data", "--log-data", f"{source}/log_data"]
    used, printed = measured(command)
    return used, json.loads(printed)


class Bench:
    def __init__(self, options):
        self.options, self.rows = options, []
        self.peers, self.work = os.path.abspath(options.peers), os.path.abspath(options.work)
        self.duckdb = {"1.5": python("duckdb15"), "2.0": python("duckdb20")}
        os.makedirs(self.work, exist_ok=True)

    def generate(self, songs, events, days, users):
        """Returns the folder of generated input, read once."""
        if self.options.small:
            songs, events, users = max(songs // 100, 5), events // 100, max(users // 100, 20)
        folder = f"{self.work}/{songs}-{events}-{days}-{users}"
        if not os.path.exists(folder):
            sizes = [f"--{name}={value}" for name, value in (("songs", songs), ("events", events), ("days", days), ("users", users))]
            command = [sys.executable, f"{self.peers}/gen.py", folder + ".new", *sizes]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            # Old modification times identify versions, as in a bucket.
            subprocess.run(["find", folder + ".new", "-type", "f", "-exec", "touch", "-d", "2020-01-01", "{}", "+"], check=True)
            os.rename(folder + ".new", folder)
        subprocess.run(["sh", "-c", f"find '{folder}' -type f -print0 | xargs -0 cat > /dev/null"], check=True)
        return folder

    def without_last_day(self, source):
        """Returns a copy of the input without its last day, and that day's file there."""
        part = source + "-first"
        shutil.rmtree(part, ignore_errors=True)
        subprocess.run(["cp", "-a", source, part], check=True)
        day = max(os.path.join(folder, file) for folder, _, files in os.walk(part + "/log_data") for file in files)
        os.remove(day)
        return part, day

    def new(self, name):
        """Returns a path at which nothing is."""
        path = f"{self.work}/{name}"
        for left in (path, path + ".wal"):
            shutil.rmtree(left) if os.path.isdir(left) else os.path.exists(left) and os.remove(left)
        return path

    def peer(self, interpreter, name, source, out, *more):
        return measured([interpreter, f"{self.peers}/peers/{name}.py", source, out, *more])[0]

    def results(self, out, prefix="", interpreter=None):
        command = [interpreter or self.duckdb["2.0"], "-c", RESULTS, out, prefix]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()

    def compare(self, work, own, others, check=None):
        """Runs `own` and each of `others` (name -> function) in turn, and adds a row for each of them."""
        own_runs, other_runs = [], {name: [] for name in others}
        for _ in range(self.options.runs):
            own_runs.append(own())
            for name, other in others.items():
                other_runs[name].append(other())
                if check:
                    check(name)
        for name, runs in other_runs.items():
            self.add(work, own_runs, name, runs)
        if not others:
            self.add(work, own_runs, "", [])

    def add(self, work, own, name, runs):
        def figure(runs, at, digits=2):
            if not runs:
                return ""
            values = sorted(run[at] for run in runs)
            return f"{statistics.median(values):.{digits}f} [{values[0]:.{digits}f}, {values[-1]:.{digits}f}]"

        def ratio(at):
            return f"{statistics.median(b[at] / a[at] for a, b in zip(own, runs)):.2f}" if runs else ""

        cells = [work, name, figure(own, 0), figure(runs, 0), ratio(0), figure(own, 1), figure(runs, 1), ratio(1), figure(own, 2, 0)]
        self.rows.append(cells)
        print("  ".join(filter(None, cells)), file=sys.stderr)

    def same(self, name, own, other):
        if own != other:
            sys.exit(f"{name}: {other}, sparkify has {own}")

    # Each method below is a kind of work.

    def whole(self):
        source = self.generate(20_000, 2_000_000, 30, 20_000)
        own = f"{self.work}/own.duckdb"
        tests = []

        def load():
            self.new("own.duckdb")
            used, summary = etl(source, f"duckdb:{own}")
            step = next(step for step in summary["steps"] if step["name"] == "check")
            tests.append((step["seconds"], step["cpu_seconds"], used[2]))
            return used

        def other(script, version):
            return lambda: self.peer(self.duckdb[version], script, source, self.new(f"{script}.duckdb"))

        # The second script keeps no staging and reads only what the model needs.
        scripts = [("duckdb_contract", "1.5"), ("duckdb_contract", "2.0"), ("duckdb_tuned", "2.0")]
        others = {f"{script}, DuckDB {version}": other(script, version) for script, version in scripts}

        def check(name):
            script, version = name.split(", DuckDB ")
            found = self.results(f"{self.work}/{script}.duckdb", interpreter=self.duckdb[version])
            self.same(name, self.results(own), found)

        self.compare("20,000 songs, 2 M events, empty warehouse", load, others, check)
        self.add("its data tests", tests, "", [])

    def day(self):
        source = self.generate(500, 220_000, 11, 2_000)
        first, day = self.without_last_day(source)
        kept = f"{source}/{os.path.relpath(day, first)}"
        own, peers = f"{self.work}/day.duckdb", python("peers")
        # Name: interpreter, script and arguments; output; schema of its tables.
        others = {
            "polars_star": ([peers, "polars_star"], "day.polars", ""),
            "duckdb_contract, DuckDB 2.0": ([self.duckdb["2.0"], "duckdb_contract"], "day.contract.duckdb", ""),
            "dlt_fast --arrow --star": ([peers, "dlt_fast", "--arrow", "--star"], "day.dlt.duckdb", "main."),
        }
        steps = ("10 days of 20,000 events", "the next day", "nothing new")
        runs = {step: ([], {name: [] for name in others}) for step in steps}
        for _ in range(self.options.runs):
            self.new(os.path.relpath(day, self.work))
            for out in ("day.duckdb", *(out for _, out, _ in others.values())):
                self.new(out)
            for step, (own_runs, other_runs) in runs.items():
                if step == "the next day":
                    shutil.copy2(kept, day)
                own_runs.append(etl(first, f"duckdb:{own}")[0])
                for name, ((interpreter, script, *more), out, schema) in others.items():
                    out = f"{self.work}/{out}"
                    other_runs[name].append(self.peer(interpreter, script, first, out, *more))
                    self.same(f"{name}, {step}", self.results(own), self.results(out, schema))
        for step, (own_runs, other_runs) in runs.items():
            for name, other in other_runs.items():
                self.add(step, own_runs, name, other)

    def nothing(self):
        source = self.generate(20_000, 2_000_000, 30, 20_000)
        own = self.new("nothing.duckdb")
        etl(source, f"duckdb:{own}")
        self.compare("20,030 objects, none new", lambda: etl(source, f"duckdb:{own}")[0], {})

    def postgres(self):
        source = self.generate(2_000, 200_000, 30, 5_000)
        first, day = self.without_last_day(source)
        server = self.new("server")
        os.makedirs(server)
        os.chmod(self.work, 0o755)
        script = os.path.join(ROOT, "scripts", "postgres.sh")
        subprocess.run([script, "start", server], check=True, stdout=subprocess.DEVNULL)
        try:
            url = open(f"{server}/url").read().strip()
            loads = {"PostgreSQL, 193,000 events": [], "PostgreSQL, the next day": []}
            for _ in range(self.options.runs):
                subprocess.run([PROGRAM, "create-tables", "--yes", "--warehouse", url, "--quiet"], check=True)
                self.new(os.path.relpath(day, self.work))
                for work, runs in loads.items():
                    if work.endswith("day"):
                        shutil.copy2(f"{source}/{os.path.relpath(day, first)}", day)
                    runs.append(etl(first, url)[0])
            for work, runs in loads.items():
                self.add(work, runs, "", [])
        finally:
            subprocess.run([script, "stop", server], check=True)

    def export(self):
        source = self.generate(20_000, 2_000_000, 30, 20_000)
        own = self.new("export.duckdb")
        etl(source, f"duckdb:{own}")
        query = os.path.join(ROOT, "sql", "export", "songplays.sql")

        def export():
            return measured([PROGRAM, "export", self.new("export.parquet"), "--warehouse", f"duckdb:{own}", "--tables", "songplays", "--quiet"])[0]

        def copy():
            return measured([self.duckdb["1.5"], "-c", COPY, own, query, self.new("copy.parquet")])[0]

        def check(name):
            count = "import duckdb, sys; print(duckdb.sql(f\"select count(*), bit_xor(hash(songplay_id::varchar, epoch_ms(start_time), song_id, length)) from '{sys.argv[1]}'\").fetchone())"
            rows = [subprocess.run([self.duckdb["1.5"], "-c", count, file], check=True, stdout=subprocess.PIPE, text=True).stdout
                    for file in (f"{self.work}/export.parquet/songplays.parquet", f"{self.work}/copy.parquet")]
            self.same(name, *rows)

        self.compare("1.65 M plays to sorted Parquet", export, {"`copy`, DuckDB 1.5": copy}, check)

    def memory(self):
        source = self.generate(20_000, 22_000_000, 365, 20_000)
        own = self.new("memory.duckdb")
        self.add("22 M events, 10 GB", [etl(source, f"duckdb:{own}")[0]], "", [])
        os.remove(own)


WORKS = ["whole", "day", "nothing", "postgres", "export", "memory"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peers")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", default=",".join(WORKS[:-1]), help="of " + ", ".join(WORKS) + "; default: all but memory")
    parser.add_argument("--work", default="bench.work")
    bench = Bench(parser.parse_args())
    for work in bench.options.only.split(","):
        getattr(bench, work)()
    version = subprocess.run([PROGRAM, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(f"{', '.join(version.split(chr(10))[:2])}; {os.cpu_count()} cores, {platform.machine()}; {bench.options.runs} alternating runs: median [smallest, largest]; ratio: the other one's time by sparkify's\n")
    print("| work | compared with | sparkify, s | other, s | ratio | sparkify, CPU s | other, CPU s | ratio | sparkify, peak MB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for cells in bench.rows:
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
