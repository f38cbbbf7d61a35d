//! Repairs texts that were encoded twice, in the landing table of rows that the warehouse copied
//! itself.
//!
//! SQL cannot undo the second encoding, but it can select the few distinct texts that may have one.
//! The reader's rule decides which of them are repaired; the repaired texts are loaded into a
//! table, from which an update takes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sql::direct as sql;
use sparkify_reader::{RecordKind, repair as repair_text};
use sparkify_warehouse::{Batch, ColumnType, Opening, RowList, Value, Warehouse, WarehouseError};

/// Characters that a first byte of a multi-byte UTF-8 sequence becomes when it is read as Latin-1.
const FIRST: std::ops::RangeInclusive<char> = '\u{c2}'..='\u{f4}';
/// The same for the continuation bytes.
const CONTINUATION: std::ops::RangeInclusive<char> = '\u{80}'..='\u{bf}';

/// Repairs the texts in the landing table and returns the number of repaired values by `kind.key`.
pub(super) fn repair(
    warehouse: &mut dyn Warehouse,
    kind: RecordKind,
) -> Result<BTreeMap<String, u64>, WarehouseError> {
    let marks = [FIRST, CONTINUATION].map(|range| Value::Text(range.collect()));
    let candidates =
        warehouse.query_file(&sql::REPAIR_CANDIDATES.of(kind.ddl()), &marks, usize::MAX)?;
    let pairs = candidates.rows.iter().filter_map(|row| {
        let damaged = row.first()?.as_text()?.strip_suffix('|')?;
        Some((damaged.to_owned(), repair_text(damaged)?))
    });
    let pairs: Vec<_> = pairs.collect();
    let mut repairs = BTreeMap::new();
    if pairs.is_empty() {
        return Ok(repairs);
    }
    warehouse.run(&sql::CREATE_REPAIRS.of(kind.ddl()))?;
    let append = |(damaged, repaired): &(String, String), batch: &mut Batch| {
        batch.columns[0].push_bytes(damaged.as_bytes());
        batch.columns[1].push_bytes(repaired.as_bytes());
    };
    let pairs = RowList::new(&[ColumnType::Text; 2], pairs, append);
    warehouse.load("landing_repairs", Arc::new(pairs))?;
    let keys = kind.text_keys();
    let statements = sql::REPAIR.of(kind.ddl()).statements(Opening::full(warehouse.engine()));
    let counts = warehouse.query_file(&sql::COUNT_REPAIRS.of(kind.ddl()), &[], usize::MAX)?;
    let number =
        |value: Option<&Value>| value.and_then(Value::as_i64).and_then(|n| u64::try_from(n).ok());
    let counts: BTreeMap<_, _> =
        counts.rows.iter().filter_map(|row| number(row.first()).zip(number(row.get(1)))).collect();
    for ((index, key), statement) in (0..).zip(keys).zip(statements) {
        // Counted by a query, because not every connection (Data API) reports the number of updated
        // rows.
        let count = counts.get(&index).copied().unwrap_or_default();
        if count > 0 {
            warehouse.execute(&statement)?;
            repairs.insert(format!("{}.{}", kind.name(), key), count);
        }
    }
    warehouse.run(&sql::DROP_REPAIRS)?;
    Ok(repairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The warehouse selects a column by name, this module by its position among the text columns.
    #[test]
    fn each_text_column_has_a_statement_in_column_order() {
        let neutral = Opening { engine: "", incremental: false };
        for kind in [RecordKind::Events, RecordKind::Songs] {
            let texts = kind.text_keys();
            let columns: Vec<_> = texts.map(str::to_lowercase).collect();
            let of = |step: sparkify_warehouse::SqlFile| step.of(kind.ddl()).statements(neutral);
            let repairs = of(sql::REPAIR);
            assert_eq!(repairs.len(), columns.len());
            for (repair, column) in repairs.iter().zip(&columns) {
                assert!(repair.contains(&format!("set {column} =")), "{repair}: {column}");
            }
            let candidates = of(sql::REPAIR_CANDIDATES).concat();
            assert_eq!(candidates.matches("as candidate").count(), columns.len());
            let counts = of(sql::COUNT_REPAIRS).concat();
            let counts: Vec<_> = counts.split("union all").collect();
            assert_eq!(counts.len(), columns.len());
            for ((place, count), column) in counts.iter().enumerate().zip(&columns) {
                assert!(count.contains(&format!("select {place} as place")), "{count}: {place}");
                assert!(count.contains(&format!(".{column})")), "{count}: {column}");
            }
        }
    }

    #[test]
    fn a_text_that_needs_a_repair_has_a_character_of_each_range() {
        for text in ["Björk", "日本", "🎵", "é"] {
            let twice: String = text.bytes().map(char::from).collect();
            assert!(
                twice.contains(|c| FIRST.contains(&c))
                    && twice.contains(|c| CONTINUATION.contains(&c))
            );
            assert_eq!(repair_text(&twice).as_deref(), Some(text));
        }
    }
}
