//! Foreign keys between tables, for the diagrams.

use super::{Column, Dictionary, Kind, Table};

/// Foreign key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference<'a> {
    /// Referencing table.
    pub from: &'a Table,
    /// Referencing column.
    pub column: &'a Column,
    /// Referenced table.
    pub to: &'a Table,
}

impl Dictionary {
    /// Returns all foreign keys in the order of tables and columns.
    pub(super) fn references(&self) -> Vec<Reference<'_>> {
        self.tables.iter().flat_map(|from| self.references_of(from)).collect()
    }

    fn references_of<'a>(&'a self, from: &'a Table) -> impl Iterator<Item = Reference<'a>> {
        from.columns.iter().filter_map(move |column| {
            let to = self.tables.iter().find(|table| Some(table.name) == column.references)?;
            Some(Reference { from, column, to })
        })
    }

    /// Returns the tables of the two diagrams with their titles.
    pub(super) fn groups(&self) -> [(&'static str, Vec<&Table>); 2] {
        let model = self.of(Kind::Model).collect();
        let rest = self.tables.iter().filter(|table| table.kind != Kind::Model).collect();
        [("Model", model), ("Staging and load metadata", rest)]
    }
}

impl Table {
    /// Returns the index of a column.
    pub(super) fn index_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// Returns the index of the first key column.
    pub(super) fn index_of_key(&self) -> Option<usize> {
        self.key.first().and_then(|key| self.index_of(key))
    }
}
