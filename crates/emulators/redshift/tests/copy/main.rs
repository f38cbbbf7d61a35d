//! COPY engine over S3 requests: documented corner cases, roles, faults, generated input and the
//! course data.

mod cases;
#[allow(dead_code, reason = "COPY is compared with some of the figures only")]
#[path = "../../../../../tests/data/mod.rs"]
mod data;
mod data_sets;
mod history;
mod properties;
mod s3;

use redshift_emulator::copy::s3::{Permission, Role, Store};
use redshift_emulator::copy::{self, Column, ColumnType, LoadFailure, Loaded};
use s3_emulator::{KEY, SECRET, Server};

const ROLE: &str = "arn:aws:iam::000000000000:role/reader";

/// Returns a store for this server with a role that may read its bucket.
fn store(server: &Server) -> Store {
    let mut store = Store::new(&server.endpoint(), "us-east-1");
    store.roles.push(Role {
        arn: ROLE.to_owned(),
        key: KEY.to_owned(),
        secret: SECRET.to_owned(),
        permissions: vec![Permission::all("s3://bucket/")],
    });
    store
}

/// Parses column declarations such as `a integer not null default`.
fn columns(declared: &[&str]) -> Vec<Column> {
    declared.iter().map(|text| column(text)).collect()
}

fn column(declared: &str) -> Column {
    let (name, mut type_name) = declared.split_once(' ').expect("a column needs name and type");
    let mut column = Column {
        name: name.to_owned(),
        column_type: ColumnType::Integer,
        nullable: true,
        has_default: false,
    };
    loop {
        if let Some(rest) = type_name.strip_suffix(" default") {
            (type_name, column.has_default) = (rest, true);
        } else if let Some(rest) = type_name.strip_suffix(" not null") {
            (type_name, column.nullable) = (rest, false);
        } else {
            column.column_type = ColumnType::by_name(type_name)
                .unwrap_or_else(|| panic!("unknown type `{type_name}`"));
            return column;
        }
    }
}

/// Parses and runs a COPY into a table with these columns.
fn load(store: &Store, statement: &str, columns: &[Column]) -> Result<Loaded, LoadFailure> {
    let copy = copy::parse(statement)?;
    let objects = store.open(&copy)?;
    copy::execute(&copy, columns, &objects)
}
