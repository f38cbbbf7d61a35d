//! PostgreSQL: one database per test, one schema per warehouse.
//!
//! The database has an unusual locale, time zone and output formats, on which results must not
//! depend.

use std::cell::Cell;

use super::{Difference, Engine, Place, conformance};
use crate::servers::Database;

struct Schemas {
    database: Database,
    made: Cell<u32>,
}

impl Place for Schemas {
    fn url(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("{}?schema=Schema%20{}", self.database.url(), self.made.get())
    }
}

fn place() -> Box<dyn Place> {
    let database = Database::odd();
    Box::new(Schemas { database, made: Cell::new(0) })
}

const ENGINE: Engine = Engine {
    place,
    differences: Difference {
        bytes: "bytea",
        text: "collate \"C\"",
        shared: true,
        drops_not_null: true,
        longest_text: 3 << 20,
        blanks_count: true,
    },
};

conformance!(ENGINE);
