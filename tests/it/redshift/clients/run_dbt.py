"""dbt with dbt-redshift: debug, seed, run twice, test, docs generate. The project is in `dbt/`.

    run_dbt.py PORT USER PASSWORD DATABASE
"""

import json
import os
import pathlib
import shutil
import sys

import redshift_connector
from dbt.cli.main import dbtRunner

PORT, USER, PASSWORD, DATABASE = sys.argv[1:]
os.environ.update(PORT=PORT, USER_NAME=USER, PASSWORD=PASSWORD, DATABASE=DATABASE)
PROJECT = pathlib.Path.cwd() / "dbt"
shutil.copytree(pathlib.Path(__file__).parent / "dbt", PROJECT)


def equal(found, expected):
    assert found == expected, f"{found!r}, not {expected!r}"


def dbt(*arguments):
    place = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--no-use-colors"]
    result = dbtRunner().invoke([*arguments, *place])
    assert result.success, f"dbt {arguments} failed: {result.exception or result.result}"
    return result.result


def rows(query):
    with redshift_connector.connect(
        host="localhost", port=int(PORT), user=USER, password=PASSWORD, database=DATABASE, sslmode="verify-full"
    ) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


dbt("debug")
dbt("seed")
equal(
    [(song, title, str(duration)) for song, title, duration in rows("select * from dbt_plays.songs order by song_id")],
    [("SO1", "One", "200.50"), ("SO2", "It's \\ two", "100.00"), ("SO3", "Bj\u00f6rk", "59.99")],
)
dbt("run")
equal(rows("select song_id, run from dbt_plays.runs order by 1"), [("SO1", 1), ("SO2", 1), ("SO3", 1)])
equal(rows("select song_id from dbt_plays.long_songs order by 1"), [("SO1",), ("SO2",)])
equal(rows("select song_id, full_minutes::int from dbt_plays.stg_songs order by 1"), [("SO1", 3), ("SO2", 1), ("SO3", 0)])
dbt("run")
# The second run changes the rows that the incremental models select.
equal(rows("select song_id, run from dbt_plays.runs order by 1"), [("SO1", 2), ("SO2", 2), ("SO3", 1)])
equal(
    [(song, str(duration)) for song, duration in rows("select song_id, duration from dbt_plays.merged order by 1")],
    [("SO1", "401.00"), ("SO2", "200.00"), ("SO3", "119.98")],
)
equal(
    rows("select sortkey1, diststyle from svv_table_info where \"schema\" = 'dbt_plays' and \"table\" = 'long_songs'"),
    [("duration", "KEY(song_id)")],
)
tests = dbt("test")
equal([str(result.status) for result in tests], ["pass"] * 5)
dbt("docs", "generate")
catalog = json.loads((PROJECT / "target/catalog.json").read_text())
equal(catalog["errors"], None)
table = catalog["nodes"]["model.plays.long_songs"]
equal(
    [(name, column["type"]) for name, column in table["columns"].items()],
    [("song_id", "character varying(18)"), ("title", "character varying(100)"), ("duration", "numeric(8,2)")],
)
equal(table["metadata"]["type"], "BASE TABLE")
equal(catalog["nodes"]["model.plays.stg_songs"]["metadata"]["type"], "VIEW")

# A damaged row fails its data test.
with redshift_connector.connect(
    host="localhost", port=int(PORT), user=USER, password=PASSWORD, database=DATABASE, sslmode="verify-full"
) as connection, connection.cursor() as cursor:
    cursor.execute("update dbt_plays.long_songs set song_id = 'SO9' where song_id = 'SO1'")
    connection.commit()
place = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--no-use-colors"]
damaged = dbtRunner().invoke(["test", *place])
equal(sorted(str(result.status) for result in damaged.result), ["fail", "pass", "pass", "pass", "pass"])
print("passed run_dbt")
