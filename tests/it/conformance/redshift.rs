//! Amazon Redshift (emulator): one schema per warehouse, rows loaded from staged files.

use std::cell::Cell;

use super::{Difference, Engine, Place, conformance};
use crate::redshift::Cluster;

struct Schemas {
    cluster: Cluster,
    made: Cell<u32>,
}

impl Place for Schemas {
    fn url(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("{}&schema=schema_{}", self.cluster.url(), self.made.get())
    }
}

fn place() -> Box<dyn Place> {
    let cluster = Cluster::start();
    cluster.configure();
    Box::new(Schemas { cluster, made: Cell::new(0) })
}

const ENGINE: Engine = Engine {
    place,
    differences: Difference {
        bytes: "varbyte(1048576)",
        text: "(65535)",
        shared: true,
        drops_not_null: false,
        longest_text: 65_535,
        blanks_count: false,
    },
};

conformance!(ENGINE);
