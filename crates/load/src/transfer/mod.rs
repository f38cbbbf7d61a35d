//! Transfer of a whole warehouse to another file or engine: staging, model, ledger, rejects and
//! load history, without the sources.
//!
//! A thread streams each table of the source in batches; the target inserts them in bulk. All of it
//! is one transaction of the target. Before the commit, each table is read back and compared with
//! the rows that were sent, and every data test runs. The rows keep their numbers, so the next load
//! into the target is incremental.

mod rows;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::data_tests::{self, TestResult};
use crate::{pipeline, sql, tables};
use rows::{Checksum, Layout};
use sparkify_reader::Meter;
use sparkify_warehouse::{Batch, ColumnType, RowSource, SqlFile, Warehouse, WarehouseError};

/// Number of batches that the source may be ahead of the target.
const READ_AHEAD: usize = 16;

const TARGET_HINT: &str = "if the target cannot hold a value, correct it in its source object and load that again before the transfer";

/// Opens the source. It is called on the thread that reads from it.
pub type OpenSource<'a> = dyn Fn() -> Result<Box<dyn Warehouse>, WarehouseError> + Sync + 'a;

/// Result of a transfer.
#[derive(Debug)]
pub struct Transferred {
    /// Number of rows of each table, in the order of transfer.
    pub tables: Vec<(&'static str, u64)>,
    /// Number of data tests that passed on the target.
    pub data_tests: usize,
}

/// Failure of a transfer. The target is unchanged.
#[derive(Debug, Error)]
pub enum TransferError {
    /// Reading from the source failed.
    #[error("cannot read from the source warehouse")]
    Source(#[source] WarehouseError),
    /// Writing to the target failed.
    #[error("cannot write to the target warehouse")]
    Target(#[from] WarehouseError),
    /// The source lacks a table.
    #[error("the source warehouse has no table `{table}`")]
    Incomplete {
        /// The table.
        table: &'static str,
    },
    /// The source has an older layout.
    #[error("an older version of sparkify wrote the source warehouse")]
    Outdated,
    /// The target has rows.
    #[error("the target warehouse is not empty: its tables have {rows} rows")]
    NotEmpty {
        /// Number of rows in all tables of sparkify.
        rows: u64,
    },
    /// A load of another process changed the source meanwhile.
    #[error("a load changed the source warehouse during the transfer")]
    SourceChanged,
    /// The target returned other rows than it received.
    #[error(
        "table `{table}` of the target differs from the source: {sent} rows were sent, {read} read back"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// Rows of the source.
        sent: u64,
        /// Rows of the target.
        read: u64,
    },
    /// Data tests failed on the target.
    #[error("data tests failed: {}", failed.len())]
    ChecksFailed {
        /// Results of the failed tests.
        failed: Vec<TestResult>,
    },
    /// The user cancelled the transfer.
    #[error("the transfer was cancelled: the target is unchanged")]
    Cancelled,
}

impl TransferError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Source(error) => return error.hint(),
            Self::Target(WarehouseError::Lost { .. }) => {
                "retry; if the target is not empty then, the transfer was published: compare both with `sparkify diff`"
            }
            Self::Target(error) => return error.hint().or(Some(TARGET_HINT.to_owned())),
            Self::Incomplete { .. } => "run `sparkify etl` on it first, or name another warehouse",
            Self::Outdated => "run `sparkify upgrade` on it first",
            Self::NotEmpty { .. } => {
                "name another warehouse, or pass `--replace` to replace its tables atomically"
            }
            Self::SourceChanged => "retry when the load has finished",
            Self::Differs { .. } => {
                "report a bug, with the engines of both warehouses; the target is unchanged"
            }
            Self::ChecksFailed { .. } => {
                "run `sparkify check` on the source: its data fail the same tests"
            }
            Self::Cancelled => "run the command again",
        };
        Some(hint.to_owned())
    }
}

/// Copies every table of the source to `target` and publishes them in one transaction. With
/// `replace`, the tables of the target are dropped first, in the same transaction.
///
/// # Errors
/// The target is unchanged then, except possibly after a connection that was lost at the commit.
pub fn transfer(
    open_source: &OpenSource<'_>,
    target: &mut dyn Warehouse,
    replace: bool,
    meter: &Meter,
) -> Result<Transferred, TransferError> {
    if !replace {
        let rows = tables::stored_rows(target)?;
        if rows > 0 {
            return Err(TransferError::NotEmpty { rows });
        }
    }
    let transferred = pipeline::change(target, meter, |target| {
        if replace {
            tables::recreate(target)?;
            tables::describe_all(target)?;
        }
        let tables = copy_tables(open_source, target, meter)?;
        verify(target, &tables, meter)?;
        let data_tests = run_data_tests(target, meter)?;
        let tables = tables.into_iter().map(|(table, sent)| (table.name, sent.rows)).collect();
        Ok(Transferred { tables, data_tests })
    });
    match transferred {
        Err(_) if meter.is_cancelled() => Err(TransferError::Cancelled),
        transferred => transferred,
    }
}

/// Returns the tables whose rows are copied: all but the record of the layout, which the target has.
fn transferred() -> impl Iterator<Item = &'static SqlFile> {
    tables::all().filter(|table| table.name != sql::ledger::ETL_LAYOUT.name)
}

type Sent = Vec<(&'static SqlFile, Checksum)>;

/// Copies every table, with one thread that reads from the source.
fn copy_tables(
    open_source: &OpenSource<'_>,
    target: &mut dyn Warehouse,
    meter: &Meter,
) -> Result<Sent, TransferError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(READ_AHEAD);
        let reader = scope.spawn(move || read_source(open_source, &sender));
        let receiver = Arc::new(Mutex::new(receiver));
        let written = write_tables(target, &receiver, meter);
        // The reader ends when its receiver is gone.
        drop(receiver);
        match (reader.join(), written) {
            // The source's failure is the cause of the target's.
            (Ok(Err(error)), _) => Err(error),
            (Ok(Ok(())), written) => written,
            (Err(panic), _) => std::panic::resume_unwind(panic),
        }
    })
}

/// Part of the stream of tables.
enum Message {
    Rows(Batch),
    EndOfTable,
}

/// Streams all tables, in their order. Ends early, without an error, when the receiver is gone.
fn read_source(
    open_source: &OpenSource<'_>,
    sender: &SyncSender<Message>,
) -> Result<(), TransferError> {
    let mut source = open_source().map_err(TransferError::Source)?;
    let source = source.as_mut();
    let found = tables::Found::read(source).map_err(TransferError::Source)?;
    if let Some(table) = found.missing() {
        return Err(TransferError::Incomplete { table: table.name });
    }
    if found.is_outdated() {
        return Err(TransferError::Outdated);
    }
    let before = ledger_checksum(source)?;
    for table in transferred() {
        let mut is_open = true;
        let read = rows::each_batch(source, &Layout::of(table), &mut |batch| {
            is_open = sender.send(Message::Rows(batch)).is_ok();
            is_open
        });
        match read {
            Ok(()) => is_open = is_open && sender.send(Message::EndOfTable).is_ok(),
            Err(error) if is_open => return Err(TransferError::Source(error)),
            Err(_) => {}
        }
        if !is_open {
            return Ok(());
        }
    }
    // Redshift reads each table as of its own moment: every load changes the ledger.
    if ledger_checksum(source)? == before { Ok(()) } else { Err(TransferError::SourceChanged) }
}

/// Returns the checksum of loads and loaded objects.
fn ledger_checksum(source: &mut dyn Warehouse) -> Result<[Checksum; 2], TransferError> {
    let mut of = |table| rows::checksum(source, &Layout::of(table)).map_err(TransferError::Source);
    Ok([of(&sql::ledger::ETL_LOADS)?, of(&sql::ledger::ETL_OBJECTS)?])
}

/// Inserts the stream of tables into the target. Returns the checksum of the rows of each table.
fn write_tables(
    target: &mut dyn Warehouse,
    receiver: &Arc<Mutex<Receiver<Message>>>,
    meter: &Meter,
) -> Result<Sent, TransferError> {
    let mut sent = Vec::new();
    for table in transferred() {
        meter.enter(&format!("copy {}", table.name));
        let source = Arc::new(ReceivedRows {
            types: Layout::of(table).types,
            // Few rows, whose bytes the staged files of a cluster cannot hold.
            is_bulk: table.name != sql::ledger::ETL_REJECTS.name,
            receiver: Arc::clone(receiver),
            received: Mutex::default(),
        });
        target.load(table.name, Arc::clone(&source) as Arc<dyn RowSource>)?;
        analyze(target)?;
        let total = source.received.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((table, total.checksum));
    }
    Ok(sent)
}

fn analyze(target: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    target.statistics().map_or(Ok(()), sparkify_warehouse::Statistics::analyze)
}

/// Rows of one table from the stream.
struct ReceivedRows {
    types: Vec<ColumnType>,
    is_bulk: bool,
    receiver: Arc<Mutex<Receiver<Message>>>,
    received: Mutex<Received>,
}

#[derive(Default)]
struct Received {
    is_complete: bool,
    checksum: Checksum,
}

impl RowSource for ReceivedRows {
    fn types(&self) -> Vec<ColumnType> {
        self.types.clone()
    }

    fn is_bulk(&self) -> bool {
        self.is_bulk
    }

    fn next(&self, batch: &mut Batch) -> Result<(), String> {
        let lock = || self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let message = {
            let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
            // Other threads may wait for the same table's end.
            if lock().is_complete {
                return Ok(());
            }
            let message = receiver.recv().map_err(|_| "the source warehouse failed")?;
            lock().is_complete = matches!(message, Message::EndOfTable);
            message
        };
        if let Message::Rows(rows) = message {
            let checksum = Checksum::of(&rows);
            lock().checksum.add(checksum);
            *batch = rows;
        }
        Ok(())
    }
}

/// Reads each table of the target back and compares it with the rows that were sent.
fn verify(target: &mut dyn Warehouse, sent: &Sent, meter: &Meter) -> Result<(), TransferError> {
    for (table, sent) in sent {
        meter.enter(&format!("verify {}", table.name));
        let read = rows::checksum(target, &Layout::of(table))?;
        if read != *sent {
            let (sent, read) = (sent.rows, read.rows);
            return Err(TransferError::Differs { table: table.name, sent, read });
        }
    }
    Ok(())
}

fn run_data_tests(target: &mut dyn Warehouse, meter: &Meter) -> Result<usize, TransferError> {
    meter.enter("check");
    let failed = data_tests::failed(target, None)?;
    if failed.is_empty() {
        Ok(data_tests::DATA_TESTS.len())
    } else {
        Err(TransferError::ChecksFailed { failed })
    }
}
