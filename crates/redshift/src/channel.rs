//! Interface of one session, over the wire protocol or the Data API.
//!
//! A channel runs one statement at a time. Statements carry no parameters; values are literals in
//! the text (see `literal`).

use sparkify_warehouse::{Interrupter, RowSink, WarehouseError};

/// A session that runs one statement at a time.
pub(super) trait Channel {
    /// Runs a statement and passes its rows to `sink`. Returns the number of rows changed.
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, ChannelError>;

    /// Returns true if these statements, which return no rows, fit into one request that runs as
    /// one transaction.
    fn supports_batch(&self, _statements: &[String]) -> bool {
        false
    }

    /// Runs statements as one transaction in one request: all of them, or none. Called only if
    /// `supports_batch` returned true.
    fn send_batch(&mut self, _statements: &[String]) -> Result<(), ChannelError> {
        Ok(())
    }

    /// Returns the maximum length of a statement, in bytes.
    fn max_statement_len(&self) -> usize;

    /// Ends the session if it is still open and starts a new one.
    fn reconnect(&mut self) -> Result<(), WarehouseError>;

    /// Opens a second, independent session to the same server.
    fn open_another(&self) -> Result<Box<dyn Channel>, WarehouseError>;

    /// Returns a handle that cancels the running statement from another thread.
    fn interrupter(&self) -> Option<Interrupter>;
}

/// Failure of a statement.
#[derive(Debug)]
pub(super) enum ChannelError {
    /// The server reported an error.
    Server(super::message::ServerError),
    /// The session is lost. The outcome of a statement that was running is unknown.
    Lost(String),
    /// The row sink, or this program, failed.
    Client(WarehouseError),
}

/// Row sink that discards all rows.
pub(super) struct Discard;

impl RowSink for Discard {
    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, _row: Vec<sparkify_warehouse::Value>) -> Result<(), WarehouseError> {
        Ok(())
    }
}
