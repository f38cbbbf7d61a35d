//! Query results as JSON for the page, without loss of precision.
//!
//! JavaScript numbers are doubles and lose their text form. Doubles, and integers that a double
//! cannot hold, are therefore sent as text. The page's CSV is byte for byte that of
//! `sparkify query`.

use serde::Serialize;

use sparkify_warehouse::{ResultType, RowSink, Value, WarehouseError};

/// Largest magnitude up to which every integer is exact in JavaScript.
const EXACT: i128 = 1 << 53;

/// Result of a query, possibly truncated.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PageResult {
    /// Name and kind of each column.
    pub columns: Vec<TypedColumn>,
    /// Rows up to the limit.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// True if the result was truncated.
    pub more: bool,
}

/// Result column with its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypedColumn {
    /// Name in the result.
    pub name: String,
    /// `integer`, `double`, `decimal`, `date`, `timestamp`, `boolean`, `bytes` or `text`.
    pub kind: &'static str,
}

/// Row sink with limits on rows and bytes. It stops the query when a limit is reached.
#[derive(Debug, Default)]
pub struct LimitedSink {
    answer: PageResult,
    kinds: Vec<&'static str>,
    rows: usize,
    bytes: usize,
}

impl LimitedSink {
    /// Creates a sink for at most `rows` rows and `bytes` bytes of text.
    pub fn new(rows: usize, bytes: usize) -> Self {
        Self { rows, bytes, ..Self::default() }
    }

    /// Returns the result, given the outcome of the query. Reaching a limit is not an error.
    pub fn finish(self, ended: Result<(), WarehouseError>) -> Result<PageResult, WarehouseError> {
        match ended {
            Err(WarehouseError::Sink(_)) if self.answer.more => Ok(self.answer),
            ended => ended.map(|()| self.answer),
        }
    }
}

impl RowSink for LimitedSink {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.kinds = types.iter().map(|kind| name_of(*kind)).collect();
        Ok(())
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        let kinds = self.kinds.iter().copied().chain(std::iter::repeat("text"));
        let column = |(name, kind)| TypedColumn { name, kind };
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
    fn values_that_javascript_would_change_are_sent_as_text() {
        let row = [Value::Double(246.0), Value::Int(EXACT + 1), Value::Int(7), Value::Null];
        let cells: Vec<_> = row.iter().map(cell).collect();
        assert_eq!(
            serde_json::to_string(&cells).unwrap(),
            r#"["246.0","9007199254740993",7,null]"#
        );
    }

    #[test]
    fn a_result_is_truncated_at_the_limits() {
        for (rows, bytes, kept) in [(2, 1000, 2), (9, 20, 2), (9, 1000, 3)] {
            let mut taker = LimitedSink::new(rows, bytes);
            taker.types(&[ResultType::Integer]).unwrap();
            taker.start(vec!["n".into()]).unwrap();
            let ended = (0..3).try_for_each(|n| taker.row(vec![Value::Int(n)]));
            let answer = taker.finish(ended).unwrap();
            assert_eq!((answer.rows.len(), answer.more), (kept, kept < 3));
        }
    }
}
