//! Row limit and pager for results on a screen.

use std::io::Write;
use std::process::{Command, Stdio};

use sparkify_analytics::report::Writer;
use sparkify_warehouse::{ResultType, RowSink, Value, WarehouseError};

/// Row sink that forwards rows up to a limit and then fails, so that the engine stops producing
/// rows.
pub(super) struct LimitedSink<'a> {
    pub to: &'a mut dyn Writer,
    /// Number of rows left until the limit.
    pub left: u64,
    /// True once a row beyond the limit arrived.
    pub more: bool,
}

impl RowSink for LimitedSink<'_> {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.to.types(types)
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.to.start(columns)
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        if self.left == 0 {
            self.more = true;
            return Err(WarehouseError::Sink(std::io::Error::other("the limit is reached")));
        }
        self.left -= 1;
        self.to.row(row)
    }
}

/// Returns true if a text does not fit on a screen of this size.
pub(super) fn overflows(text: &[u8], (columns, rows): (u16, u16)) -> bool {
    let text = String::from_utf8_lossy(text);
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    // The prompt takes a row.
    text.lines().count() >= rows.into() || widest > columns.into()
}

/// Shows a text in the pager; returns false if no pager could be started.
pub(super) fn page(text: &[u8]) -> bool {
    let pager = sparkify_config::shell::pager();
    let started = Command::new("sh").args(["-c", &pager]).stdin(Stdio::piped()).spawn();
    let Ok(mut pager) = started else { return false };
    if let Some(mut stdin) = pager.stdin.take() {
        // Fails if the user quits the pager early.
        let _ = stdin.write_all(text);
    }
    // The shell exits with 127 if the command was not found.
    pager.wait().is_ok_and(|status| status.code() != Some(127))
}
