//! Rows from us to PostgreSQL: `copy … from stdin (format binary)`. Threads make rows and write them in COPY's form; one connection sends.
//!
//! The form is in the manual, at "COPY", "Binary Format": a head, each row as its number of fields and each field as its length and bytes, a tail.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, pin_mut};

use super::answer::EPOCH;
use crate::wire::Wire;
use sparkify_warehouse::WarehouseError;
use sparkify_warehouse::{Batch, Column, ColumnType, RowSource, Values};

const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TAIL: &[u8] = &(-1_i16).to_be_bytes();
/// A piece is sent when it has so many bytes, however few rows they are.
const PIECE: usize = 256 << 10;

/// A piece of rows, or why there are no more.
type Piece = Result<Bytes, String>;

/// Sends all rows of `source`, and says how many they were.
pub(super) fn load(
    wire: &Wire,
    statement: &str,
    source: &dyn RowSource,
    threads: usize,
) -> Result<u64, WarehouseError> {
    std::thread::scope(|scope| {
        let (sender, pieces) = sync_channel(2 * threads);
        for _ in 0..threads.max(1) {
            let sender = sender.clone();
            scope.spawn(move || make(source, &sender));
        }
        drop(sender);
        send(wire, statement, pieces)
    })
}

/// Makes pieces until the source has no more rows, or nobody takes them.
fn make(source: &dyn RowSource, pieces: &SyncSender<Piece>) {
    let types = source.types();
    let mut batch = Batch::new(&types);
    let mut piece = BytesMut::new();
    loop {
        batch.clear();
        let filled = source.next(&mut batch);
        let ended = filled.is_err() || batch.is_empty();
        if let Err(reason) = filled {
            let _ = pieces.send(Err(reason));
            return;
        }
        write(&batch, &types, &mut piece);
        if piece.len() >= PIECE || ended {
            let full = piece.split().freeze();
            if !full.is_empty() && pieces.send(Ok(full)).is_err() || ended {
                return;
            }
        }
    }
}

/// Sends the pieces. A load that ends early is told to the server as failed: it keeps none of its rows.
fn send(wire: &Wire, statement: &str, pieces: Receiver<Piece>) -> Result<u64, WarehouseError> {
    let failed = |error: tokio_postgres::Error| wire.failed(&error, statement);
    let begun = wire.wait(wire.client.copy_in::<_, Bytes>(statement));
    let sink = begun.map_err(|error| {
        // The library takes the end of a copy that never began for the answer to what is asked next.
        wire.cut();
        failed(error)
    })?;
    pin_mut!(sink);
    wire.wait(sink.feed(Bytes::from_static(HEAD))).map_err(failed)?;
    for piece in pieces {
        match piece {
            Ok(rows) => wire.wait(sink.send(rows)).map_err(failed)?,
            Err(message) => return Err(WarehouseError::Statement { message, hint: None }),
        }
    }
    wire.wait(sink.feed(Bytes::from_static(TAIL))).map_err(failed)?;
    wire.wait(sink.finish()).map_err(failed)
}

/// A column on its way out: what is next of its nulls and bytes.
struct Fields<'a> {
    values: &'a Values,
    nulls: std::iter::Peekable<std::slice::Iter<'a, usize>>,
    shift: i64,
    start: usize,
}

impl<'a> Fields<'a> {
    fn of(column: &'a Column, kind: ColumnType) -> Self {
        let shift = if kind == ColumnType::Timestamp { EPOCH } else { 0 };
        let nulls = column.nulls.iter().peekable();
        Self { values: &column.values, nulls, shift, start: 0 }
    }

    fn write(&mut self, row: usize, out: &mut BytesMut) {
        let null = self.nulls.next_if(|null| **null == row).is_some();
        match self.values {
            Values::Bytes { buffer, ends } => {
                let bytes = &buffer[self.start..ends[row]];
                self.start = ends[row];
                if !null {
                    // A value is a part of one record, which is far below two gigabytes.
                    out.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
                    out.put_slice(bytes);
                }
            }
            _ if null => {}
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
    fn rows_are_written_as_the_manual_says() {
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
