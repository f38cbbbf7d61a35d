//! COPY from real S3 requests: its corner cases with results by hand, the roles and faults of a store, known input.

mod cases;
#[allow(dead_code, reason = "COPY is compared with some of the figures only")]
#[path = "../../../../../tests/data/mod.rs"]
mod data;
mod data_sets;
mod history;
mod hostile;
mod store;

use redshift_emulator::copy::s3::{Allowed, Role, Store};
use redshift_emulator::copy::{self, Column, Failure, Kind, Loaded};
use s3_emulator::{KEY, SECRET, Server};

const ROLE: &str = "arn:aws:iam::000000000000:role/reader";

/// The server's store, and a role that may read its bucket.
fn store(server: &Server) -> Store {
    let mut store = Store::new(&server.endpoint(), "us-east-1");
    store.roles.push(Role {
        arn: ROLE.to_owned(),
        key: KEY.to_owned(),
        secret: SECRET.to_owned(),
        allowed: vec![Allowed::all("s3://bucket/")],
    });
    store
}

/// Columns as they are declared: `a integer not null default`.
fn columns(declared: &[&str]) -> Vec<Column> {
    declared.iter().map(|text| column(text)).collect()
}

fn column(declared: &str) -> Column {
    let (name, mut kind) = declared.split_once(' ').expect("a name and a type");
    let mut column =
        Column { name: name.to_owned(), kind: Kind::Integer, nullable: true, has_default: false };
    loop {
        if let Some(rest) = kind.strip_suffix(" default") {
            (kind, column.has_default) = (rest, true);
        } else if let Some(rest) = kind.strip_suffix(" not null") {
            (kind, column.nullable) = (rest, false);
        } else {
            column.kind = Kind::by_name(kind).unwrap_or_else(|| panic!("`{kind}` is no type"));
            return column;
        }
    }
}

/// A statement, carried out on a table with these columns; what cannot be read fails as what cannot be loaded.
fn load(store: &Store, statement: &str, columns: &[Column]) -> Result<Loaded, Failure> {
    let copy = copy::parse(statement)?;
    let objects = store.open(&copy)?;
    copy::execute(&copy, columns, &objects)
}
