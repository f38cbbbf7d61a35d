"""SQLAlchemy with the dialect of sqlalchemy-redshift, on the drivers of Amazon and psycopg 2.

    run_sqlalchemy.py PORT USER PASSWORD DATABASE
"""

import datetime
import decimal
import os
import sys

import sqlalchemy as sa
from sqlalchemy_redshift.dialect import TIMESTAMPTZ

PORT, USER, PASSWORD, DATABASE = int(sys.argv[1]), *sys.argv[2:]


def equal(found, expected):
    assert found == expected, f"{found!r}, not {expected!r}"


def engine(driver, **arguments):
    url = sa.URL.create(f"redshift+{driver}", USER, PASSWORD, "localhost", PORT, DATABASE)
    return sa.create_engine(url, connect_args=arguments)


def tables(suffix):
    metadata = sa.MetaData()
    artists = sa.Table(
        f"artists{suffix}",
        metadata,
        sa.Column("artist_id", sa.String(18), primary_key=True, info={"encode": "zstd"}),
        sa.Column("name", sa.String(100), nullable=False),
        redshift_diststyle="ALL",
    )
    plays = sa.Table(
        f"plays{suffix}",
        metadata,
        # Redshift has neither RETURNING nor sequences to learn the number of a new row by.
        sa.Column("play_id", sa.BigInteger, primary_key=True, autoincrement=False, redshift_identity=(0, 1)),
        sa.Column("artist_id", sa.String(18), sa.ForeignKey(artists.c.artist_id)),
        sa.Column("started", sa.TIMESTAMP, nullable=False),
        sa.Column("price", sa.Numeric(8, 2)),
        sa.Column("seen", TIMESTAMPTZ),
        sa.Column("day", sa.Date),
        redshift_distkey="artist_id",
        redshift_sortkey=("started", "artist_id"),
    )
    return metadata, artists, plays


def check(suffix, engine):
    metadata, artists, plays = tables(suffix)
    metadata.create_all(engine)
    started = datetime.datetime(2018, 11, 1, 21, 1, 46, 796000)
    with engine.begin() as connection:
        connection.execute(
            artists.insert(), [{"artist_id": "AR1", "name": "Bj\u00f6rk"}, {"artist_id": "AR2", "name": "It's \\"}]
        )
        row = {"artist_id": "AR1", "started": started, "price": decimal.Decimal("1.25"), "day": started.date()}
        connection.execute(plays.insert().values(**row))
        connection.execute(plays.insert().values(artist_id="AR2", started=started + datetime.timedelta(days=1)))
    with engine.connect() as connection:
        query = (
            sa.select(artists.c.name, sa.func.count().label("plays"), sa.func.max(plays.c.price))
            .join_from(plays, artists)
            .where(plays.c.started >= started)
            .group_by(artists.c.name)
            .order_by(artists.c.name.desc())
        )
        equal(
            [tuple(row) for row in connection.execute(query)],
            [("It's \\", 1, None), ("Bj\u00f6rk", 1, decimal.Decimal("1.25"))],
        )
        equal(connection.execute(sa.select(plays.c.play_id).order_by(plays.c.play_id)).scalars().all(), [0, 1])
        connection.execute(sa.delete(plays).where(plays.c.price.is_(None)))
        connection.rollback()
        equal(connection.scalar(sa.select(sa.func.count()).select_from(plays)), 2)
    check_reflection(suffix, engine)
    # create_all() finds that both tables exist.
    metadata.create_all(engine)
    metadata.drop_all(engine)
    equal(sa.inspect(engine).get_table_names(), [])


def check_reflection(suffix, engine):
    inspector = sa.inspect(engine)
    equal(sorted(inspector.get_table_names()), [f"artists{suffix}", f"plays{suffix}"])
    columns = {column["name"]: column for column in inspector.get_columns(f"plays{suffix}")}
    equal(
        {name: str(column["type"]) for name, column in columns.items()},
        {
            "play_id": "BIGINT",
            "artist_id": "VARCHAR(18)",
            "started": "TIMESTAMP",
            "price": "NUMERIC(8, 2)",
            "seen": "TIMESTAMPTZ",
            "day": "DATE",
        },
    )
    equal([name for name, column in columns.items() if not column["nullable"]], ["play_id", "started"])
    equal(inspector.get_pk_constraint(f"plays{suffix}")["constrained_columns"], ["play_id"])
    [key] = inspector.get_foreign_keys(f"plays{suffix}")
    equal(
        (key["constrained_columns"], key["referred_table"], key["referred_columns"]),
        (["artist_id"], f"artists{suffix}", ["artist_id"]),
    )
    equal(inspector.get_view_names(), [])
    reflected = sa.Table(f"plays{suffix}", sa.MetaData(), autoload_with=engine)
    equal(dict(reflected.dialect_options["redshift"])["distkey"], "artist_id")
    equal(dict(reflected.dialect_options["redshift"])["sortkey"], ("started", "artist_id"))


check("_a", engine("redshift_connector", sslmode="verify-full", ssl=True))
check("_p", engine("psycopg2", sslmode="verify-full", sslrootcert=os.environ["SSL_CERT_FILE"]))
print("passed run_sqlalchemy")
