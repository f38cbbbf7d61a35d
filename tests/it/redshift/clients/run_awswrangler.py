"""awswrangler: to_sql (overwrite and upsert), read_sql_query, read_sql_table, copy of Parquet files.

    run_awswrangler.py PORT USER PASSWORD DATABASE S3_ENDPOINT BUCKET ROLE

Its `unload` uses UNLOAD, which the emulator lacks.
"""

import decimal
import sys

import awswrangler as wr
import pandas as pd
import redshift_connector

PORT, USER, PASSWORD, DATABASE, ENDPOINT, BUCKET, ROLE = sys.argv[1:]
wr.config.s3_endpoint_url = ENDPOINT
FRAME = pd.DataFrame(
    {
        "id": [1, 2, 3],
        "name": ["It's \\ one", "Bj\u00f6rk", None],
        "price": [decimal.Decimal("1.25"), decimal.Decimal("2.50"), None],
        "sold": pd.to_datetime(["2018-11-01 21:01:46.796", "2018-11-02 00:00:00.0", None]),
        "share": [0.5, 1.5, None],
        "gold": [True, False, True],
    }
)


def equal(found, expected):
    assert found == expected, f"{found!r}, not {expected!r}"


def rows(frame):
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False)]


def check(connection):
    wr.redshift.to_sql(
        FRAME, connection, table="sales", schema="public", mode="overwrite", primary_keys=["id"], sortkey=["id"],
        varchar_lengths={"name": 40}, chunksize=2,
    )
    found = wr.redshift.read_sql_query("select * from public.sales order by id", connection)
    equal(rows(found), rows(FRAME))
    more = FRAME.assign(id=[3, 4, 5])
    wr.redshift.to_sql(more, connection, table="sales", schema="public", mode="upsert", primary_keys=["id"])
    equal(wr.redshift.read_sql_query("select count(*) as n, max(id) as m from sales", connection).values.tolist(), [[5, 5]])
    equal(len(wr.redshift.read_sql_table("sales", connection, schema="public")), 5)
    equal(
        rows(wr.redshift.read_sql_query("select name from sales where id = %s", connection, params=[2])), [("Bj\u00f6rk",)]
    )


def check_copy(connection):
    path = f"s3://{BUCKET}/data/frames/"
    wr.redshift.copy(
        FRAME, path, connection, "copied", "public", iam_role=ROLE, mode="overwrite", primary_keys=["id"],
        varchar_lengths={"name": 40},
    )
    equal(rows(wr.redshift.read_sql_query("select * from copied order by id", connection)), rows(FRAME))
    equal(wr.s3.list_objects(path), [])
    more = FRAME.assign(id=[3, 4, 5], name="new")
    wr.redshift.copy(
        more, path, connection, "copied", "public", iam_role=ROLE, mode="upsert", primary_keys=["id"],
        varchar_lengths={"name": 40},
    )
    found = wr.redshift.read_sql_query("select id, name from copied order by id", connection)
    equal(rows(found), [(1, "It's \\ one"), (2, "Bj\u00f6rk"), (3, "new"), (4, "new"), (5, "new")])
    # A file with other columns than the table fails the load, and nothing is loaded.
    try:
        wr.redshift.copy(FRAME[["id"]], path, connection, "copied", "public", iam_role=ROLE)
        raise AssertionError("the load did not fail")
    except redshift_connector.ProgrammingError as error:
        assert "columns" in error.args[0]["M"], error
    equal(wr.redshift.read_sql_query("select count(*) as n from copied", connection).values.tolist(), [[5]])


with redshift_connector.connect(
    host="localhost", port=int(PORT), user=USER, password=PASSWORD, database=DATABASE, sslmode="verify-full"
) as connection:
    check(connection)
    check_copy(connection)
print("passed run_awswrangler")
