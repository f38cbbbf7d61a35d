//! Bulk insert with `copy … from stdin (format binary)`. Several threads produce and encode rows;
//! one connection sends them.
//!
//! PostgreSQL's manual describes the format at "COPY", "Binary Format": a header, then for each row
//! its number of fields and for each field its length and bytes, then a trailer.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, pin_mut};
use uuid::Uuid;

use super::decode::EPOCH;
use crate::wire::Wire;
use sparkify_warehouse::WarehouseError;
use sparkify_warehouse::{Batch, Column, ColumnType, RowSource, Values};

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = &(-1_i16).to_be_bytes();
/// Minimum size of a chunk in bytes, except for the last one of a thread.
const CHUNK_SIZE: usize = 256 << 10;

/// Encoded rows, or the error of the source.
type Chunk = Result<Bytes, String>;

/// Sends all rows of `source` and returns their number.
pub(super) fn load(
    wire: &Wire,
    statement: &str,
    source: &dyn RowSource,
    threads: usize,
) -> Result<u64, WarehouseError> {
    std::thread::scope(|scope| {
        let (sender, chunks) = sync_channel(2 * threads);
        for _ in 0..threads.max(1) {
            let sender = sender.clone();
            scope.spawn(move || encode(source, &sender));
        }
        drop(sender);
        send(wire, statement, chunks)
    })
}

/// Encodes rows until the source is exhausted or the receiver is dropped.
fn encode(source: &dyn RowSource, chunks: &SyncSender<Chunk>) {
    let types = source.types();
    let mut batch = Batch::new(&types);
    let mut chunk = BytesMut::new();
    loop {
        batch.clear();
        let filled = source.next(&mut batch);
        let checked = filled.and_then(|()| batch.check(&types).map_err(|error| error.to_string()));
        if let Err(reason) = checked {
            let _ = chunks.send(Err(reason));
            return;
        }
        let is_last = batch.is_empty();
        write(&batch, &types, &mut chunk);
        if chunk.len() >= CHUNK_SIZE || is_last {
            let full = chunk.split().freeze();
            if !full.is_empty() && chunks.send(Ok(full)).is_err() || is_last {
                return;
            }
        }
    }
}

/// Sends the chunks. On an error the sink is dropped before it is finished, so the server discards
/// all rows of the COPY.
fn send(wire: &Wire, statement: &str, chunks: Receiver<Chunk>) -> Result<u64, WarehouseError> {
    let failed = |error: tokio_postgres::Error| wire.statement_error(&error, statement);
    let begun = wire.wait(wire.client.copy_in::<_, Bytes>(statement));
    let sink = begun.map_err(|error| {
        // tokio-postgres would take the end of a COPY that never began for the response to the next
        // request.
        wire.abort();
        failed(error)
    })?;
    pin_mut!(sink);
    wire.wait(sink.feed(Bytes::from_static(HEADER))).map_err(failed)?;
    for chunk in chunks {
        match chunk {
            Ok(rows) => wire.wait(sink.send(rows)).map_err(failed)?,
            Err(message) => return Err(WarehouseError::Statement { message, hint: None }),
        }
    }
    wire.wait(sink.feed(Bytes::from_static(TRAILER))).map_err(failed)?;
    wire.wait(sink.finish()).map_err(failed)
}

/// Encoder of one column, row by row.
struct Fields<'a> {
    values: &'a Values,
    kind: ColumnType,
    /// Null rows that are not encoded yet.
    nulls: std::iter::Peekable<std::slice::Iter<'a, usize>>,
    /// Offset of the epoch, subtracted from timestamps.
    shift: i64,
    /// Start of the next value of bytes.
    start: usize,
}

impl<'a> Fields<'a> {
    fn of(column: &'a Column, kind: ColumnType) -> Self {
        let shift = if kind == ColumnType::Timestamp { EPOCH } else { 0 };
        let nulls = column.nulls.iter().peekable();
        Self { values: &column.values, kind, nulls, shift, start: 0 }
    }

    fn write(&mut self, row: usize, out: &mut BytesMut) {
        let null = self.nulls.next_if(|null| **null == row).is_some();
        match self.values {
            Values::Bytes { buffer, ends } => {
                let bytes = &buffer[self.start..ends[row]];
                self.start = ends[row];
                let uuid = match self.kind {
                    ColumnType::Uuid => Uuid::try_parse_ascii(bytes).ok(),
                    _ => None,
                };
                // The server refuses text that is not a UUID.
                let bytes = uuid.as_ref().map_or(bytes, |uuid| uuid.as_bytes());
                if !null {
                    // A value is part of one record, which is far smaller than 2 GiB.
                    out.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
                    out.put_slice(bytes);
                }
            }
            _ if null => {}
            Values::Integer(values) if self.kind == ColumnType::Boolean => {
                out.put_i32(1);
                out.put_u8(u8::from(values[row] != 0));
            }
            Values::Integer(values) => {
                out.put_i32(4);
                out.put_i32(values[row]);
            }
            Values::BigInt(values) => {
                out.put_i32(8);
                out.put_i64(values[row].saturating_sub(self.shift));
            }
            Values::Double(values) => {
                out.put_i32(8);
                out.put_f64(values[row]);
            }
        }
        if null {
            out.put_i32(-1);
        }
    }
}

fn write(batch: &Batch, types: &[ColumnType], out: &mut BytesMut) {
    let columns = batch.columns.iter().zip(types);
    let mut fields: Vec<Fields<'_>> =
        columns.map(|(column, kind)| Fields::of(column, *kind)).collect();
    let count = i16::try_from(fields.len()).unwrap_or(i16::MAX);
    for row in 0..batch.len() {
        out.put_i16(count);
        for field in &mut fields {
            field.write(row, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_encoded_in_the_binary_copy_format() {
        let types = [ColumnType::Integer, ColumnType::Text, ColumnType::Timestamp];
        let mut batch = Batch::new(&types);
        for (number, text) in [(Some(7), None), (None, Some("é"))] {
            match number {
                Some(number) => batch.columns[0].push_int(number),
                None => batch.columns[0].push_null(),
            }
            match text {
                Some(text) => batch.columns[1].push_bytes(str::as_bytes(text)),
                None => batch.columns[1].push_null(),
            }
            batch.columns[2].push_int(EPOCH);
        }
        let mut out = BytesMut::new();
        write(&batch, &types, &mut out);
        let midnight = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        let first = [&[0, 3, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255], &midnight[..]].concat();
        let second = [&[0, 3, 255, 255, 255, 255, 0, 0, 0, 2, 0xc3, 0xa9], &midnight[..]].concat();
        assert_eq!(out[..], [first, second].concat());
    }
}
