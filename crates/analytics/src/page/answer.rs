//! An answer as the page takes it: typed columns and rows that stay what they were.
//!
//! A browser's numbers are doubles, and forget how they were written. So doubles, and whole numbers that a double cannot hold, travel as text, and
//! the CSV that the page gives is the one that `sparkify query` writes, byte for byte.

use serde::Serialize;

use sparkify_warehouse::{ResultType, RowSink, Value, WarehouseError};

/// Whole numbers beyond this are not exact in a browser.
const EXACT: i128 = 1 << 53;

/// Columns and rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Answer {
    /// Name and kind of each column.
    pub columns: Vec<Column>,
    /// As many rows as were wanted.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// Whether there were more.
    pub more: bool,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// `integer`, `double`, `decimal`, `date`, `timestamp`, `boolean`, `bytes` or `text`.
    pub kind: &'static str,
}

/// Takes so many rows of an answer, then gives up: the engine makes no more of them.
#[derive(Debug, Default)]
pub struct Taker {
    answer: Answer,
    kinds: Vec<&'static str>,
    rows: usize,
    bytes: usize,
}

impl Taker {
    /// Takes at most so many rows, and so many bytes of text.
    pub fn new(rows: usize, bytes: usize) -> Self {
        Self { rows, bytes, ..Self::default() }
    }

    /// What was taken. That it was more than was wanted is no error.
    pub fn taken(self, ended: Result<(), WarehouseError>) -> Result<Answer, WarehouseError> {
        match ended {
            Err(WarehouseError::Sink(_)) if self.answer.more => Ok(self.answer),
            ended => ended.map(|()| self.answer),
        }
    }
}

impl RowSink for Taker {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.kinds = types.iter().map(|kind| name_of(*kind)).collect();
        Ok(())
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        let kinds = self.kinds.iter().copied().chain(std::iter::repeat("text"));
        let column = |(name, kind)| Column { name, kind };
        self.answer.columns = columns.into_iter().zip(kinds).map(column).collect();
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let weight: usize = row.iter().map(|it| it.as_text().map_or(8, str::len)).sum();
        if self.rows == 0 || self.bytes < weight {
            self.answer.more = true;
            return Err(WarehouseError::Sink(std::io::Error::other("the limit is reached")));
        }
        self.rows -= 1;
        self.bytes -= weight;
        self.answer.rows.push(row.iter().map(cell).collect());
        Ok(())
    }
}

fn name_of(kind: ResultType) -> &'static str {
    match kind {
        ResultType::Boolean => "boolean",
        ResultType::Integer | ResultType::BigInt | ResultType::Decimal(_, 0) => "integer",
        ResultType::Decimal(..) => "decimal",
        ResultType::Double => "double",
        ResultType::Date => "date",
        ResultType::Timestamp => "timestamp",
        ResultType::Bytes => "bytes",
        ResultType::Text => "text",
    }
}

fn cell(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) if value.abs() <= EXACT => i64::try_from(*value).unwrap_or(0).into(),
        value => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_forget_travels_as_text() {
        let row = [Value::Double(246.0), Value::Int(EXACT + 1), Value::Int(7), Value::Null];
        let cells: Vec<_> = row.iter().map(cell).collect();
        assert_eq!(
            serde_json::to_string(&cells).unwrap(),
            r#"["246.0","9007199254740993",7,null]"#
        );
    }

    #[test]
    fn a_taker_stops_at_its_limit_and_says_so() {
        for (rows, bytes, kept) in [(2, 1000, 2), (9, 20, 2), (9, 1000, 3)] {
            let mut taker = Taker::new(rows, bytes);
            taker.types(&[ResultType::Integer]).unwrap();
            taker.start(vec!["n".into()]).unwrap();
            let ended = (0..3).try_for_each(|n| taker.row(vec![Value::Int(n)]));
            let answer = taker.taken(ended).unwrap();
            assert_eq!((answer.rows.len(), answer.more), (kept, kept < 3));
        }
    }
}
