//! Repairs texts that were encoded twice, in the landing table of rows that the warehouse copied itself.
//!
//! SQL cannot undo the second encoding, but it can select the few distinct texts that may have one. The reader's rule decides
//! which of them are repaired; the repaired texts are loaded into a table, from which an update takes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::direct::files;
use crate::sql;
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
    let candidates = warehouse.query_file(files(kind).repair_candidates, &marks, usize::MAX)?;
    let pairs = candidates.rows.iter().filter_map(|row| {
        let damaged = row.first()?.as_text()?.strip_suffix('|')?;
        Some((damaged.to_owned(), repair_text(damaged)?))
    });
    let pairs: Vec<_> = pairs.collect();
    let mut repairs = BTreeMap::new();
    if pairs.is_empty() {
        return Ok(repairs);
    }
    warehouse.run(&sql::direct::REPAIRS)?;
    let append = |(damaged, repaired): &(String, String), batch: &mut Batch| {
        batch.columns[0].push_bytes(damaged.as_bytes());
        batch.columns[1].push_bytes(repaired.as_bytes());
    };
    let pairs = RowList::new(&[ColumnType::Text; 2], pairs, append);
    warehouse.load("landing_repairs", Arc::new(pairs))?;
    let keys = kind.text_keys();
    let statements = files(kind).repair.statements(Opening::full(warehouse.engine()));
    let counts = warehouse.query_file(files(kind).count_repairs, &[], usize::MAX)?;
    let number =
        |value: Option<&Value>| value.and_then(Value::as_i64).and_then(|n| u64::try_from(n).ok());
    let counts: BTreeMap<_, _> =
        counts.rows.iter().filter_map(|row| number(row.first()).zip(number(row.get(1)))).collect();
    for ((index, key), statement) in (0..).zip(keys).zip(statements) {
        // Counted by a query, because not every connection (Data API) reports the number of updated rows.
        let count = counts.get(&index).copied().unwrap_or_default();
        if count > 0 {
            warehouse.execute(&statement)?;
            repairs.insert(format!("{}.{}", kind.name(), key), count);
        }
    }
    Ok(repairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQL selects a column by name, this module by its index among the text columns.
    #[test]
    fn each_text_column_has_a_statement_in_the_order_of_the_keys() {
        for kind in [RecordKind::Events, RecordKind::Songs] {
            let texts = kind.text_keys();
            let sets: Vec<_> = texts.map(|key| format!("set {} =", key.to_lowercase())).collect();
            let statements: Vec<_> =
                files(kind).repair.text.lines().filter(|line| !line.starts_with("--")).collect();
            assert_eq!(statements.len(), sets.len());
            for (statement, set) in statements.iter().zip(&sets) {
                assert!(statement.contains(set), "{statement}: {set}");
            }
            let candidates = files(kind).repair_candidates.text;
            assert_eq!(candidates.matches("as suspect").count(), sets.len());
            let repaired =
                files(kind).count_repairs.text.lines().filter(|line| line.starts_with("join"));
            let repaired: Vec<_> = repaired.collect();
            assert_eq!(repaired.len(), sets.len());
            for (join, set) in repaired.iter().zip(&sets) {
                let column = set.trim_start_matches("set ").trim_end_matches(" =");
                assert!(join.contains(&format!(".{column})")), "{join}: {column}");
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
