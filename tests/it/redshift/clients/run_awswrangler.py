"""awswrangler: to_sql (overwrite and upsert), read_sql_query, read_sql_table.

    run_awswrangler.py PORT USER PASSWORD DATABASE

Its `copy` and `unload` use Parquet files, which the emulator does not read or write.
"""

import decimal
import sys

import awswrangler as wr
import pandas as pd
import redshift_connector

PORT, USER, PASSWORD, DATABASE = sys.argv[1:]
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


with redshift_connector.connect(
    host="localhost", port=int(PORT), user=USER, password=PASSWORD, database=DATABASE, sslmode="verify-full"
) as connection:
    check(connection)
print("passed run_awswrangler")
