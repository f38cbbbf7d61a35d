"""The star schema as one Dagster asset per day of events, with the data tests as asset checks.

Run `dagster dev -f sparkify_assets.py`. `sparkify` must be on the PATH, and SPARKIFY_WAREHOUSE,
SPARKIFY_SONG_DATA and SPARKIFY_LOG_DATA in the environment, or a `dwh.cfg` in the working folder.
"""

import json
import subprocess

import dagster as dg


def sparkify(*arguments: str) -> subprocess.CompletedProcess:
    """Runs a command with JSON output."""
    command = ["sparkify", *arguments, "--output", "json"]
    return subprocess.run(command, capture_output=True, text=True)


@dg.asset(
    partitions_def=dg.DailyPartitionsDefinition("2018-11-01"),
    # A load is idempotent and atomic: a retry repeats nothing.
    retry_policy=dg.RetryPolicy(max_retries=2, delay=60),
)
def star_schema(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Tables `songplays`, `users`, `user_levels`, `songs`, `artists` and `time`."""
    day = context.partition_key
    load = sparkify("etl", "--since", day, "--until", day, "--allow-empty")
    if load.returncode != 0:
        raise dg.Failure(load.stderr.strip())
    summary = json.loads(load.stdout)
    rows = dict(summary["tables"])
    return dg.MaterializeResult(metadata={"outcome": summary["outcome"], **rows})


@dg.asset_check(asset=star_schema)
def data_tests() -> dg.AssetCheckResult:
    """Runs `sparkify check` on the whole warehouse."""
    check = sparkify("check")
    # 0: every test passed, 1: a test failed, 2: the program failed.
    if check.returncode > 1:
        raise dg.Failure(check.stderr.strip())
    return dg.AssetCheckResult(passed=check.returncode == 0)


defs = dg.Definitions(assets=[star_schema], asset_checks=[data_tests])
