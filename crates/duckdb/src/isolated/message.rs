//! Messages between a process and its worker: one JSON document per line.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use sparkify_warehouse::{ResultType, Value, WarehouseError};

/// Maximum size of a message in bytes.
const MAX_MESSAGE: u64 = 64 << 20;

/// First message to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) path: PathBuf,
    /// Memory limit of `DuckDB`, in bytes.
    pub(super) memory: u64,
    pub(super) threads: usize,
    pub(super) allows_files: bool,
}

/// A statement to run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) statement: String,
    pub(super) parameters: Vec<Cell>,
}

/// Message from the worker. The reply to a [`Job`] is `Done` or `Failed`; the reply to a
/// [`Request`] is `Types`, `Columns` and all `Row`s, then `Done` or `Failed`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Types(Vec<ResultType>),
    Columns(Vec<String>),
    Row(Vec<Cell>),
    Done,
    Failed(Failure),
}

/// A [`Value`] that JSON carries without loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    /// In decimal notation, since JSON libraries limit integers to 64 bits.
    Int(String),
    /// The bits of a double, since JSON has no infinity.
    Double(u64),
    Text(String),
    Timestamp(i64),
    Bytes(Vec<u8>),
}

impl From<&Value> for Cell {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(value.to_string()),
            Value::Double(value) => Self::Double(value.to_bits()),
            Value::Text(value) => Self::Text(value.clone()),
            Value::Timestamp(value) => Self::Timestamp(*value),
            Value::Bytes(value) => Self::Bytes(value.clone()),
        }
    }
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Bool(value) => Self::Bool(value),
            Cell::Int(digits) => digits.parse().map_or(Self::Null, Self::Int),
            Cell::Double(bits) => Self::Double(f64::from_bits(bits)),
            Cell::Text(value) => Self::Text(value),
            Cell::Timestamp(value) => Self::Timestamp(value),
            Cell::Bytes(value) => Self::Bytes(value),
        }
    }
}

/// A [`WarehouseError`], as far as a reading connection to a file has them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Failure {
    Missing { path: PathBuf, near: Option<PathBuf> },
    CannotOpen { path: PathBuf, reason: String, hint: String },
    Busy { path: PathBuf, holder: String },
    Full { message: String },
    Statement { message: String, hint: Option<String> },
}

impl From<WarehouseError> for Failure {
    fn from(error: WarehouseError) -> Self {
        match error {
            WarehouseError::Missing { path, near } => Self::Missing { path, near },
            WarehouseError::CannotOpen { path, reason, hint } => {
                Self::CannotOpen { path, reason, hint }
            }
            WarehouseError::Busy { path, holder } => Self::Busy { path, holder },
            WarehouseError::Full { message } => Self::Full { message },
            other => Self::Statement { message: other.to_string(), hint: other.hint() },
        }
    }
}

impl From<Failure> for WarehouseError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing { path, near } => Self::Missing { path, near },
            Failure::CannotOpen { path, reason, hint } => Self::CannotOpen { path, reason, hint },
            Failure::Busy { path, holder } => Self::Busy { path, holder },
            Failure::Full { message } => Self::Full { message },
            Failure::Statement { message, hint } => Self::Statement { message, hint },
        }
    }
}

/// Writes a message and a line feed. A message that is too large is an error, and nothing of it is
/// written.
pub(super) fn write(out: &mut dyn Write, message: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(message)?;
    text.push(b'\n');
    if text.len() as u64 > MAX_MESSAGE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a row has more than 64 MiB"));
    }
    out.write_all(&text)
}

/// Reads the next message; none at the end of the stream.
pub(super) fn read<T: DeserializeOwned>(from: &mut dyn BufRead) -> io::Result<Option<T>> {
    let mut text = Vec::new();
    let mut limited = io::Read::take(from, MAX_MESSAGE);
    limited.read_until(b'\n', &mut text)?;
    if !text.ends_with(b"\n") {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&text)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_transfer() {
        for value in [
            Value::Null,
            Value::Bool(true),
            Value::Int(i128::MIN),
            Value::Double(f64::NEG_INFINITY),
            Value::Double(-0.0),
            Value::Text("a\n\"\u{0}é".into()),
            Value::Timestamp(i64::MAX),
            Value::Bytes(vec![0, 255, 10]),
        ] {
            let mut text = Vec::new();
            write(&mut text, &Cell::from(&value)).unwrap();
            let back: Cell = read(&mut text.as_slice()).unwrap().unwrap();
            assert_eq!(Value::from(back), value);
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_not_written() {
        let mut text = Vec::new();
        assert!(write(&mut text, &"x".repeat(65 << 20)).is_err());
        assert!(text.is_empty());
        assert!(read::<Cell>(&mut &b"\"Null"[..]).unwrap().is_none(), "a truncated message");
    }
}
