"""Amazon's Python driver, psycopg 2 and psycopg 3 on the Redshift emulator.

    drivers.py PORT USER PASSWORD DATABASE

SSL_CERT_FILE names the authority that signed the emulator's certificate.
"""

import datetime
import decimal
import os
import sys
import tempfile

import psycopg
import psycopg2
import psycopg2.extras
import redshift_connector

PORT, USER, PASSWORD, DATABASE = int(sys.argv[1]), *sys.argv[2:]
PLACE = {"host": "localhost", "port": PORT, "user": USER, "password": PASSWORD}
CREATE = """create table {name} (
    id bigint identity(0, 1), name varchar(20) not null, price decimal(5, 2), sold timestamp, day date,
    gold boolean, share float8, primary key (name)
) distkey (name) sortkey (sold)"""
ROW = (
    "It's \\ Bj\u00f6rk",
    decimal.Decimal("1.25"),
    datetime.datetime(2018, 11, 1, 21, 1, 46, 796000),
    datetime.date(2018, 11, 1),
    True,
    2.5,
)
COLUMNS = "name, price, sold, day, gold, share"
INSERT = "insert into {name} ({columns}) values (%s, %s, %s, %s, %s, %s)"


def equal(found, expected):
    assert found == expected, f"{found!r}, not {expected!r}"


def amazon(**options):
    return redshift_connector.connect(database=DATABASE, sslmode="verify-full", **PLACE, **options)


def check_amazon():
    with amazon() as connection, connection.cursor() as cursor:
        cursor.execute(CREATE.format(name="sales"))
        cursor.execute(INSERT.format(name="sales", columns=COLUMNS), ROW)
        cursor.executemany("insert into sales (name) values (%s)", [("b",), ("c",)])
        cursor.execute(f"select id, {COLUMNS} from {DATABASE}.public.sales where name = %s", (ROW[0],))
        equal(cursor.fetchall(), ([0, *ROW],))
        cursor.execute("select name from sales where price is null order by name")
        equal(cursor.fetchall(), (["b"], ["c"]))
        cursor.execute("create table notes (body super, digits varbyte)")
        cursor.execute("insert into notes select json_parse(%s), to_varbyte(%s, 'hex')", ('{"a": [1, 2]}', "c3b6"))
        cursor.execute("select body, digits from notes")
        equal(cursor.fetchall(), (['{"a":[1,2]}', "\u00f6"],))
        connection.commit()

        # A failed statement ends the transaction, and a rollback begins another.
        try:
            cursor.execute("select no_such_column from sales")
        except redshift_connector.ProgrammingError as error:
            equal(error.args[0]["C"], "42703")
        connection.rollback()
        cursor.execute("select count(*) from sales")
        equal(cursor.fetchone(), [3])
        check_metadata(cursor)
        check_bulk_insert(connection, cursor)


def check_metadata(cursor):
    names = [description[0].lower() for description in cursor.description]
    equal(names, ["count"])
    equal([row[0] for row in cursor.get_schemas(schema_pattern="public")], ["public"])
    equal(cursor.get_catalogs(), ([DATABASE],))
    tables = cursor.get_tables(schema_pattern="public", table_name_pattern="sales")
    equal([row[:4] for row in tables], [[DATABASE, "public", "sales", "TABLE"]])
    columns = cursor.get_columns(schema_pattern="public", tablename_pattern="sales")
    equal([row[3] for row in columns], ["id", *COLUMNS.split(", ")])
    equal([row[5] for row in columns], ["int8", "varchar", "numeric", "timestamp", "date", "bool", "float8"])


def check_bulk_insert(connection, cursor):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("n,name\n1,d\n2,e\n3,f\n")
        file.flush()
        cursor.insert_data_bulk(file.name, "sales", [1], ["name"], ",", batch_size=2)
    cursor.execute("select listagg(name) within group (order by name) from sales where name > 'b'")
    equal(cursor.fetchone(), ["cdef"])
    connection.rollback()


def check_identity_providers():
    # The driver announces an identity provider as start-up parameters. The emulator knows none, and
    # asks the user for a password.
    core = redshift_connector.core.Connection
    announced = {}
    init = core.set_idc_plugins_params

    def parameters(self, params, *arguments, **options):
        init(self, params, *arguments, **options)
        params["user"] = USER
        announced.update(params)

    core.set_idc_plugins_params = parameters
    connection = core(
        user=USER, password=PASSWORD, database=DATABASE, host="localhost", port=PORT, ssl=True, sslmode="verify-full",
        credentials_provider="IdpTokenAuthPlugin", provider_name="corporate", identity_namespace="team",
        token_type="ACCESS_TOKEN", idc_client_display_name="tests",
    )
    core.set_idc_plugins_params = init
    equal(announced["idp_type"], "AwsIdc")
    equal(announced["plugin_name"], "IdpTokenAuthPlugin")
    connection.close()


def check_psycopg2():
    connection = psycopg2.connect(
        dbname=DATABASE, sslmode="verify-full", sslrootcert=os.environ["SSL_CERT_FILE"], **PLACE
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(CREATE.format(name="sales2"))
        cursor.execute(INSERT.format(name="sales2", columns=COLUMNS), ROW)
        psycopg2.extras.execute_values(cursor, "insert into sales2 (name) values %s", [("b",), ("c",)])
        cursor.execute(f"select {COLUMNS} from sales2 where name = %s", (ROW[0],))
        equal(cursor.fetchall(), [ROW])
    # A named cursor is `declare … without hold`.
    with connection, connection.cursor(name="rows_of_sales") as cursor:
        cursor.itersize = 2
        cursor.execute("select name from sales2 order by id")
        equal([row[0] for row in cursor], [ROW[0], "b", "c"])
    connection.close()


def check_psycopg3():
    # Parameters are put into the text, as psycopg 3 sends types that Redshift lacks. libpq writes a
    # backslash as E'\\\\', which Redshift does not document.
    row = (ROW[0].replace("\\ ", ""), *ROW[1:])
    connection = psycopg.connect(
        dbname=DATABASE, sslmode="verify-full", sslrootcert=os.environ["SSL_CERT_FILE"], client_encoding="utf8",
        cursor_factory=psycopg.ClientCursor, **PLACE,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(CREATE.format(name="sales3"))
        cursor.execute(INSERT.format(name="sales3", columns=COLUMNS), row)
        cursor.execute(f"select {COLUMNS} from sales3 where price = %s", (decimal.Decimal("1.25"),))
        equal(cursor.fetchall(), [row])


check_amazon()
check_identity_providers()
check_psycopg2()
check_psycopg3()
print("passed drivers")
