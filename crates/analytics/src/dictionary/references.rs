//! Which columns hold the key of another table, as lines between tables.

use super::{Column, Dictionary, Kind, Table};

/// A column that holds the key of another table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference<'a> {
    /// The table that has the column.
    pub from: &'a Table,
    /// The column.
    pub column: &'a Column,
    /// The table whose key it is.
    pub to: &'a Table,
}

impl Dictionary {
    /// Every one of them, in the order of tables and columns.
    pub(super) fn references(&self) -> Vec<Reference<'_>> {
        self.tables.iter().flat_map(|from| self.references_of(from)).collect()
    }

    fn references_of<'a>(&'a self, from: &'a Table) -> impl Iterator<Item = Reference<'a>> {
        from.columns.iter().filter_map(move |column| {
            let to = self.tables.iter().find(|table| Some(table.name) == column.references)?;
            Some(Reference { from, column, to })
        })
    }

    /// The two diagrams: the model, and what it is made from.
    pub(super) fn groups(&self) -> [(&'static str, Vec<&Table>); 2] {
        let model = self.of(Kind::Model).collect();
        let rest = self.tables.iter().filter(|table| table.kind != Kind::Model).collect();
        [("The model", model), ("Staging and bookkeeping", rest)]
    }
}

impl Table {
    /// Which of its columns this is, from 0.
    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// The place of the one column that is its key.
    pub(super) fn place_of_key(&self) -> Option<usize> {
        self.key.first().and_then(|key| self.place_of(key))
    }
}
