"""Loads one day of events per run, then runs the data tests (Airflow 3).

Copy this file to the `dags` folder. `sparkify` must be on the PATH of the workers, and
SPARKIFY_WAREHOUSE, SPARKIFY_SONG_DATA and SPARKIFY_LOG_DATA in their environment, or a `dwh.cfg` in
the folder of the variable SPARKIFY_HOME.
"""

import os
from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

HOME = os.environ.get("SPARKIFY_HOME", ".")

with DAG(
    dag_id="sparkify",
    # With a data interval, `ds` is the day that has ended when the run starts.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2018, 11, 1),
    catchup=False,
    # A DuckDB file has one writer; a server engine makes further loads wait.
    max_active_runs=1,
    # A load is idempotent and atomic: a retry repeats nothing.
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
):
    load = BashOperator(
        task_id="load",
        bash_command="sparkify etl --since {{ ds }} --until {{ ds }} --allow-empty --output json",
        cwd=HOME,
    )
    check = BashOperator(task_id="check", bash_command="sparkify check", cwd=HOME, retries=0)
    load >> check
