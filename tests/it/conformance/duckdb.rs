//! `DuckDB`: one file per warehouse.

use std::cell::Cell;

use super::{Difference, Engine, Place, conformance};

struct Folder {
    folder: tempfile::TempDir,
    files: Cell<u32>,
}

impl Place for Folder {
    fn url(&self) -> String {
        self.files.set(self.files.get() + 1);
        format!("duckdb:{}/{}.duckdb", self.folder.path().display(), self.files.get())
    }
}

const ENGINE: Engine = Engine {
    place: || Box::new(Folder { folder: tempfile::tempdir().unwrap(), files: Cell::new(0) }),
    differences: Difference {
        bytes: "blob",
        text: "",
        shared: false,
        drops_not_null: true,
        longest_text: 3 << 20,
        blanks_count: true,
    },
};

conformance!(ENGINE);
