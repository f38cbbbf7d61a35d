//! Builds a [`Dictionary`] from the files under `sql/`, the reader's keys and a warehouse.

use super::{Column, DataTest, Dictionary, Kind, Load, Note, SavedQueryEntry, State, Table};
use crate::report::SavedQuery;
use sparkify_load::data_tests::{self, DATA_TESTS};
use sparkify_load::{sql, tables};
use sparkify_reader::RecordKind;
use sparkify_warehouse::{
    DeclaredColumn, Opening, Rows, SqlFile, Value, Warehouse, WarehouseError,
};

impl Dictionary {
    /// Returns the dictionary as declared in SQL for an engine.
    pub fn declared(opening: Opening) -> Self {
        let of = |kind, files: &'static [SqlFile]| files.iter().map(move |file| (kind, file));
        let files = of(Kind::Model, sql::model::ALL)
            .chain(of(Kind::Staging, sparkify_reader::stage::ALL))
            .chain(of(Kind::LoadMetadata, sql::ledger::ALL));
        let test = |file: &SqlFile| DataTest {
            name: file.name,
            condition: file.headline(),
            failing_rows: None,
        };
        let mut dictionary = Self {
            warehouse: None,
            tables: files.map(|(kind, file)| table(kind, file, opening)).collect(),
            tests: DATA_TESTS.iter().map(test).collect(),
            queries: SavedQuery::all().map(entry).collect(),
        };
        dictionary.trace_keys();
        dictionary.put_fact_first();
        dictionary
    }

    /// Moves the fact to the front: the table of the model with the most references.
    fn put_fact_first(&mut self) {
        let references =
            |table: &Table| table.columns.iter().filter(|it| it.references.is_some()).count();
        let model = self.tables.iter().enumerate().filter(|(_, table)| table.kind == Kind::Model);
        if let Some((place, _)) = model.max_by_key(|(_, table)| references(table)) {
            let fact = self.tables.remove(place);
            self.tables.insert(0, fact);
        }
    }

    /// Adds types and row counts of a warehouse with all tables, and runs every data test on all
    /// data. Read-only.
    pub fn fill(&mut self, warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
        let counts = run_query(warehouse, "row_counts")?;
        let found = warehouse.found_columns()?;
        for table in &mut self.tables {
            let count = counts.rows.iter().find(|row| row[0].as_text() == Some(table.name));
            let count = count.and_then(|row| row.get(1)).and_then(Value::as_i64);
            table.rows = count.and_then(|count| u64::try_from(count).ok());
            for column in &mut table.columns {
                let is_it = |it: &&sparkify_warehouse::FoundColumn| {
                    it.table == table.name && it.name == column.name
                };
                if let Some(found) = found.iter().find(is_it) {
                    column.data_type.clone_from(&found.data_type);
                }
            }
        }
        let results = data_tests::run(warehouse)?;
        for (test, result) in self.tests.iter_mut().zip(results) {
            test.failing_rows = Some(result.failing_rows);
        }
        self.warehouse = Some(State { engine: warehouse.engine(), load: last_load(warehouse)? });
        Ok(())
    }

    /// Follows the lineage of each column to the record keys.
    fn trace_keys(&mut self) {
        let traced: Vec<Vec<Vec<String>>> = self
            .tables
            .iter()
            .map(|table| table.columns.iter().map(|column| self.keys_of(column)).collect())
            .collect();
        for (table, traced) in self.tables.iter_mut().zip(traced) {
            for (column, keys) in table.columns.iter_mut().zip(traced) {
                column.record_keys = keys;
            }
        }
    }

    /// Returns the record keys of a column, or those of its sources. Tables are built only from
    /// earlier tables, so the recursion ends.
    fn keys_of(&self, column: &Column) -> Vec<String> {
        if !column.record_keys.is_empty() {
            return column.record_keys.clone();
        }
        let mut keys = Vec::new();
        for (table, name) in column.sources() {
            let table = self.tables.iter().find(|known| known.name == table);
            let columns = table.map(|table| table.columns.as_slice()).unwrap_or_default();
            let source = columns.iter().find(|known| known.name == name);
            for key in source.map(|source| self.keys_of(source)).unwrap_or_default() {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }
}

impl Column {
    /// Returns the `table.column` names among the sources.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let words = self.from.unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.trim_matches([',', ';', ':', '(', ')']).split_once('.'))
    }
}

fn table(kind: Kind, file: &'static SqlFile, opening: Opening) -> Table {
    let key = file.key();
    let from = file.listed("from");
    let records = [RecordKind::Events, RecordKind::Songs];
    let record = records.into_iter().find(|record| record.table() == file.name);
    let columns = file.columns(opening).into_iter().map(|declared| {
        let DeclaredColumn { name, declared_type, required, description, json } = declared;
        Column {
            nullable: !required,
            key: key.contains(&name.as_str()),
            references: tables::referenced(file.name, &name, &description),
            from: from.iter().find(|(column, _)| *column == name).map(|(_, words)| *words),
            record_keys: record
                .zip(json)
                .map(|(record, json)| format!("{}.{}", record.name(), json.key))
                .into_iter()
                .collect(),
            data_type: declared_type,
            name,
            description,
        }
    });
    let columns = columns.collect();
    let notes = file.notes().into_iter().filter(|(label, _)| *label != "key");
    Table {
        name: file.name,
        kind,
        description: file.headline(),
        notes: notes.map(|(label, words)| Note { label, words }).collect(),
        key,
        rows: None,
        columns,
    }
}

fn entry(query: SavedQuery) -> SavedQueryEntry {
    let options = query.parameters().into_iter().map(|it| format!("--{}", it.name())).collect();
    SavedQueryEntry { name: query.name(), description: query.description(), options }
}

/// Runs a saved query that has no parameters.
fn run_query(warehouse: &mut dyn Warehouse, name: &str) -> Result<Rows, WarehouseError> {
    SavedQuery::find(name).map_or(Ok(Rows::default()), |query| query.run(warehouse, &[]))
}

/// Returns the last published load.
fn last_load(warehouse: &mut dyn Warehouse) -> Result<Option<Load>, WarehouseError> {
    let loads = run_query(warehouse, "history")?;
    let place = |name: &str| loads.columns.iter().position(|column| column == name);
    let value = |row: &[Value], name: &str| place(name).and_then(|place| row.get(place).cloned());
    let is_published = |row: &&Vec<Value>| {
        value(row, "outcome").is_some_and(|it| it.as_text() == Some("published"))
    };
    Ok(loads.rows.iter().find(is_published).and_then(|row| {
        let number = value(row, "load")?.as_i64()?;
        Some(Load { number, started_at: value(row, "started_at")?.to_string() })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_keys_are_read_from_column_lines() {
        let line = "    user_mood label, -- $.userMood: as chosen by the user\n    song text,";
        let text =
            sparkify_reader::stage::STAGING_EVENTS.text.replacen("    song text,", line, 1).leak();
        let file = Box::leak(Box::new(SqlFile { text, ..sparkify_reader::stage::STAGING_EVENTS }));
        let table = table(Kind::Staging, file, Opening { engine: "duckdb", incremental: false });
        let column = table.columns.iter().find(|column| column.name == "user_mood").unwrap();
        assert_eq!(column.record_keys, ["events.userMood"]);
        assert_eq!(
            (column.data_type.as_str(), &*column.description),
            ("varchar", "as chosen by the user")
        );
    }
}
