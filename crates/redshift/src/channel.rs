//! A way to a database by which one statement goes at a time and its answer comes: the wire, or the Data API.
//!
//! Both take whole statements without parameters, so whatever is sent could be typed by a person; see `literal`.

use sparkify_warehouse::{Interrupter, RowSink, WarehouseError};

/// One session by one of the ways.
pub(super) trait Channel {
    /// Sends a statement and gives its rows to `sink`; says how many rows it changed.
    fn send(&mut self, statement: &str, sink: &mut dyn RowSink) -> Result<u64, ChannelError>;

    /// Whether these statements, which ask for nothing, can be sent together, to be one transaction of their own.
    fn takes_together(&self, _statements: &[String]) -> bool {
        false
    }

    /// Sends them together, where that can be; all are done, or none is.
    fn send_together(&mut self, _statements: &[String]) -> Result<(), ChannelError> {
        Ok(())
    }

    /// The longest statement that it takes, in bytes.
    fn longest(&self) -> usize;

    /// Ends this session, if it is still there, and begins another.
    fn reconnect(&mut self) -> Result<(), WarehouseError>;

    /// A session of its own, beside this one.
    fn another(&self) -> Result<Box<dyn Channel>, WarehouseError>;

    /// What stops the statement that is running.
    fn interrupter(&self) -> Option<Interrupter>;
}

/// Why a statement came to nothing.
#[derive(Debug)]
pub(super) enum ChannelError {
    /// The server said why.
    Said(super::message::Said),
    /// The session is no more; what it did is not known unless it was told before.
    Lost(String),
    /// The taker of the rows gave up, or something of ours failed.
    Ours(WarehouseError),
}

/// Takes no row.
pub(super) struct Nothing;

impl RowSink for Nothing {
    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, _row: Vec<sparkify_warehouse::Value>) -> Result<(), WarehouseError> {
        Ok(())
    }
}
