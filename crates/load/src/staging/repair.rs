//! Texts that had been encoded twice, in rows that a warehouse fetched itself: found there, judged here, set right there.
//!
//! The warehouse cannot undo a second encoding; it can find the few texts that may have one, each once. What is meant by them is decided by the same rule
//! as everywhere, and goes back as a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sql::direct as sql;
use sparkify_reader::{RecordKind, repair as repaired};
use sparkify_warehouse::{Batch, ColumnType, Listed, Opening, Value, Warehouse, WarehouseError};

/// Characters that stand for the first byte of a character of several bytes, and for those behind it.
const FIRST: std::ops::RangeInclusive<char> = '\u{c2}'..='\u{f4}';
const BEHIND: std::ops::RangeInclusive<char> = '\u{80}'..='\u{bf}';

/// Sets the landed texts right, and says how many values that were, by `kind.key`.
pub(super) fn repair(
    warehouse: &mut dyn Warehouse,
    kind: RecordKind,
) -> Result<BTreeMap<String, u64>, WarehouseError> {
    let marks = [FIRST, BEHIND].map(|range| Value::Text(range.collect()));
    let candidates =
        warehouse.query_file(&sql::REPAIR_CANDIDATES.of(kind.ddl()), &marks, usize::MAX)?;
    let judged = candidates.rows.iter().filter_map(|row| {
        let damaged = row.first()?.as_text()?.strip_suffix('|')?;
        Some((damaged.to_owned(), repaired(damaged)?))
    });
    let judged: Vec<_> = judged.collect();
    let mut repairs = BTreeMap::new();
    if judged.is_empty() {
        return Ok(repairs);
    }
    warehouse.run(&sql::CREATE_REPAIRS.of(kind.ddl()))?;
    let append = |(damaged, meant): &(String, String), batch: &mut Batch| {
        batch.columns[0].push_bytes(damaged.as_bytes());
        batch.columns[1].push_bytes(meant.as_bytes());
    };
    let pairs = Listed::new(&[ColumnType::Text; 2], judged, append);
    warehouse.load("landing_repairs", Arc::new(pairs))?;
    let texts = kind.text_keys();
    let statements = sql::REPAIR.of(kind.ddl()).statements(Opening::full(warehouse.engine()));
    let counted = warehouse.query_file(&sql::COUNT_REPAIRS.of(kind.ddl()), &[], usize::MAX)?;
    let number =
        |value: Option<&Value>| value.and_then(Value::as_i64).and_then(|n| u64::try_from(n).ok());
    let counted: BTreeMap<_, _> =
        counted.rows.iter().filter_map(|row| number(row.first()).zip(number(row.get(1)))).collect();
    for ((place, key), statement) in (0..).zip(texts).zip(statements) {
        // How many rows a statement changed is not told on every way to a warehouse.
        let count = counted.get(&place).copied().unwrap_or_default();
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
    fn a_text_that_is_mended_has_a_character_of_each_kind() {
        for text in ["Björk", "日本", "🎵", "é"] {
            let twice: String = text.bytes().map(char::from).collect();
            assert!(
                twice.contains(|c| FIRST.contains(&c)) && twice.contains(|c| BEHIND.contains(&c))
            );
            assert_eq!(repaired(&twice).as_deref(), Some(text));
        }
    }
}
