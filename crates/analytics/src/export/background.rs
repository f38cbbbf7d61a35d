//! Writes rows on a second thread, while the first one reads further rows from the warehouse.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::report::Writer;
use sparkify_warehouse::{ResultType, RowSink, Value, WarehouseError};

/// Rows that are passed on at a time.
const ROWS: usize = 1024;
/// Messages that may wait; a slow writer then stops the reader.
const WAITING: usize = 16;

enum Message {
    Types(Vec<ResultType>),
    Start(Vec<String>),
    Rows(Vec<Vec<Value>>),
}

/// Passes the rows of `read` to `writer`, which another thread runs. Returns the number of rows.
///
/// # Errors
/// An error of the writer comes first: it ends the reader, too.
pub(super) fn write<'a>(
    read: impl FnOnce(&mut dyn RowSink) -> Result<(), WarehouseError>,
    writer: impl FnOnce() -> Box<dyn Writer + 'a> + Send,
) -> Result<u64, WarehouseError> {
    let (sender, receiver) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            let mut writer = writer();
            write_all(receiver, writer.as_mut())?;
            writer.finish()
        });
        let mut sink = Queue { sender, rows: Vec::with_capacity(ROWS), count: 0 };
        let read = read(&mut sink).and_then(|()| sink.pass_on());
        let count = sink.count;
        drop(sink);
        let written = writing.join().unwrap_or_else(|_| {
            Err(WarehouseError::Sink(io::Error::other("the thread that writes the file panicked")))
        });
        written.and(read).map(|()| count)
    })
}

fn write_all(messages: Receiver<Message>, writer: &mut dyn Writer) -> Result<(), WarehouseError> {
    for message in messages {
        match message {
            Message::Types(types) => writer.types(&types)?,
            Message::Start(columns) => writer.start(columns)?,
            Message::Rows(rows) => rows.into_iter().try_for_each(|row| writer.row(row))?,
        }
    }
    Ok(())
}

/// Row sink of the reading thread.
struct Queue {
    sender: SyncSender<Message>,
    rows: Vec<Vec<Value>>,
    count: u64,
}

impl Queue {
    fn send(&self, message: Message) -> Result<(), WarehouseError> {
        // The writer has failed; its error is reported.
        let ended = |_| WarehouseError::Sink(io::ErrorKind::BrokenPipe.into());
        self.sender.send(message).map_err(ended)
    }

    fn pass_on(&mut self) -> Result<(), WarehouseError> {
        let rows = std::mem::replace(&mut self.rows, Vec::with_capacity(ROWS));
        self.send(Message::Rows(rows))
    }
}

impl RowSink for Queue {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.send(Message::Types(types.to_vec()))
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.send(Message::Start(columns))
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.rows.push(row);
        self.count += 1;
        if self.rows.len() < ROWS { Ok(()) } else { self.pass_on() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, WriterOptions, writer};

    fn ten_thousand(sink: &mut dyn RowSink) -> Result<(), WarehouseError> {
        sink.types(&[ResultType::BigInt])?;
        sink.start(vec!["n".into()])?;
        (0..10_000).try_for_each(|n| sink.row(vec![Value::Int(n)]))
    }

    #[test]
    fn rows_keep_their_order() {
        let mut out = Vec::new();
        let options = WriterOptions::default();
        let rows = write(ten_thousand, || writer(Format::Csv, options, &mut out));
        assert_eq!(rows.unwrap(), 10_000);
        let out = String::from_utf8(out).unwrap();
        let written: Vec<&str> = out.lines().collect();
        let wanted: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
        assert_eq!(
            (written[0], &written[1..]),
            ("n", &wanted.iter().map(String::as_str).collect::<Vec<_>>()[..])
        );
    }

    #[test]
    fn an_error_of_the_writer_ends_the_reader() {
        struct Full;
        impl io::Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Full;
        let endless = |sink: &mut dyn RowSink| -> Result<(), WarehouseError> {
            sink.start(vec!["n".into()])?;
            loop {
                sink.row(vec![Value::Int(1)])?;
            }
        };
        let options = WriterOptions::default();
        let failed = write(endless, || writer(Format::Csv, options, &mut out)).unwrap_err();
        let WarehouseError::Sink(error) = failed else { panic!("{failed}") };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn an_error_of_the_reader_is_returned() {
        let mut out = Vec::new();
        let failing = |_: &mut dyn RowSink| {
            Err(WarehouseError::Statement { message: "no".into(), hint: None })
        };
        let options = WriterOptions::default();
        let failed = write(failing, || writer(Format::Csv, options, &mut out));
        assert_eq!(failed.unwrap_err().to_string(), "no");
    }
}
