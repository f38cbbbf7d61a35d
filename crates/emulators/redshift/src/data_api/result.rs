//! Execution of one statement, and its result in the format of `GetStatementResult`.

use std::fmt::Write as _;
use std::io;

use serde_json::{Value, json};

use crate::log::Outcome;
use crate::session::{MessageSink, Session};
use crate::wire::{self, BodyReader, Report};

/// Limit of a result row. A statement that returns a larger row fails
/// (MG/data-api-troubleshooting.html).
const MAX_ROW_BYTES: usize = 64 << 10;

/// Column of a result.
#[derive(Clone, Debug)]
pub(crate) struct ResultColumn {
    name: String,
    oid: i32,
    /// Type modifier, which holds length, precision and scale.
    modifier: i32,
}

/// Result of a statement: rows, a row count or an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatementResult {
    /// Columns, if the statement returns rows.
    pub(crate) columns: Option<Vec<ResultColumn>>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// Number of rows in the command tag.
    pub(crate) affected: Option<i64>,
    pub(crate) error: Option<String>,
}

impl MessageSink for StatementResult {
    fn message(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        match tag {
            b'T' => self.columns = Some(columns(body)),
            b'D' => {
                let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                self.rows
                    .push(wire::values(body).into_iter().map(|value| value.map(text)).collect());
            }
            b'C' => {
                let tag = BodyReader(body).string();
                self.affected = tag.rsplit(' ').next().and_then(|count| count.parse().ok());
            }
            _ => {}
        }
        Ok(())
    }
}

impl StatementResult {
    /// Runs one statement.
    pub(crate) fn run(session: &mut Session, statement: &str) -> Self {
        let mut result = Self::default();
        match session.statement(statement, &mut result) {
            Ok(Outcome::Failed(report)) => result.error = Some(error_text(&report)),
            Ok(Outcome::Done(tag)) if tag == "COPY" => {
                result.affected = Some(session.last_copy_count());
            }
            Ok(_) => {}
            Err(_) => {
                result.error =
                    Some("An I/O error occurred while sending to the backend.".to_owned());
            }
        }
        let bytes = |row: &Vec<Option<String>>| row.iter().flatten().map(String::len).sum();
        if result.rows.iter().map(bytes).any(|bytes: usize| bytes > MAX_ROW_BYTES) {
            let error = Some("Packet for query is too large".to_owned());
            result = Self { error, ..Self::default() };
        }
        result
    }

    /// Returns the number of returned or written rows, or -1 if the statement did neither.
    pub(crate) fn result_rows(&self) -> i64 {
        match &self.columns {
            Some(_) => i64::try_from(self.rows.len()).unwrap_or(i64::MAX),
            None => self.affected.unwrap_or(-1),
        }
    }

    /// Returns the size of all rows in bytes, or -1 if the statement returns no rows.
    pub(crate) fn result_size(&self) -> i64 {
        let bytes: usize = self.rows.iter().flatten().flatten().map(String::len).sum();
        if self.columns.is_some() { i64::try_from(bytes).unwrap_or(i64::MAX) } else { -1 }
    }

    /// Returns `ColumnMetadata` as JSON.
    pub(crate) fn metadata(&self) -> Vec<Value> {
        self.columns.iter().flatten().map(ResultColumn::metadata).collect()
    }

    /// Returns the rows from `from` up to `to` as `Records` in JSON.
    pub(crate) fn records(&self, from: usize, to: usize) -> Vec<Value> {
        let columns = self.columns.as_deref().unwrap_or_default();
        let cell =
            |(column, value): (&ResultColumn, &Option<String>)| column.cell(value.as_deref());
        let record = |row: &Vec<Option<String>>| {
            Value::from(columns.iter().zip(row).map(cell).collect::<Vec<_>>())
        };
        self.rows[from.min(self.rows.len())..to.min(self.rows.len())].iter().map(record).collect()
    }
}

/// Parses a `RowDescription`.
fn columns(body: &[u8]) -> Vec<ResultColumn> {
    let mut body = BodyReader(body);
    let count = body.short();
    (0..count)
        .map(|_| {
            let name = body.string();
            body.bytes(6);
            let oid = body.int();
            body.bytes(2);
            let modifier = body.int();
            body.bytes(2);
            ResultColumn { name, oid, modifier }
        })
        .collect()
}

impl ResultColumn {
    /// Converts a value to a `Field`: integers, floating point numbers and booleans have their own
    /// members, all other types are strings.
    fn cell(&self, value: Option<&str>) -> Value {
        let Some(value) = value else { return json!({ "isNull": true }) };
        let typed = match self.oid {
            16 => Some(json!({ "booleanValue": value == "t" })),
            20 | 21 | 23 | 26 => {
                value.parse::<i64>().ok().map(|number| json!({ "longValue": number }))
            }
            700 | 701 => value.parse::<f64>().ok().map(|number| json!({ "doubleValue": number })),
            _ => None,
        };
        typed.unwrap_or_else(|| json!({ "stringValue": value }))
    }

    fn metadata(&self) -> Value {
        let number = matches!(self.oid, 20 | 21 | 23 | 700 | 701 | 1700);
        let (precision, scale) = match self.oid {
            20 => (19, 0),
            21 => (5, 0),
            23 => (10, 0),
            700 => (8, 8),
            701 => (17, 17),
            16 => (1, 0),
            1700 if self.modifier > 4 => ((self.modifier - 4) >> 16, (self.modifier - 4) & 0xFFFF),
            1042 | 1043 if self.modifier > 4 => (self.modifier - 4, 0),
            _ => (2_147_483_647, 0),
        };
        json!({
            "isCaseSensitive": !number && self.oid != 16,
            "isCurrency": false,
            "isSigned": number,
            "label": self.name,
            "length": 0,
            "name": self.name,
            "nullable": 1,
            "precision": precision,
            "scale": scale,
            "schemaName": "",
            "tableName": "",
            "typeName": type_name(self.oid),
        })
    }
}

fn type_name(oid: i32) -> &'static str {
    match oid {
        16 => "bool",
        20 => "int8",
        21 => "int2",
        23 => "int4",
        26 => "oid",
        19 => "name",
        700 => "float4",
        701 => "float8",
        1042 => "bpchar",
        1043 => "varchar",
        1082 => "date",
        1083 => "time",
        1114 => "timestamp",
        1184 => "timestamptz",
        1266 => "timetz",
        1700 => "numeric",
        4000 => "super",
        6551 => "varbyte",
        _ => "text",
    }
}

/// Formats an error as the service does, which is the format of Amazon's JDBC driver.
pub(crate) fn error_text(report: &Report) -> String {
    let mut text = format!("{}: {}", report.severity, report.message);
    for (name, part) in
        [("Detail", &report.detail), ("Hint", &report.hint), ("Position", &report.position)]
    {
        if let Some(part) = part {
            let _ = write!(text, "\n  {name}: {part}");
        }
    }
    text
}
