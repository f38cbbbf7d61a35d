//! An answer on its way to a person: as many rows as were asked for, and through a pager when the screen is too small.

use std::io::Write;
use std::process::{Command, Stdio};

use sparkify_analytics::report::Writer;
use sparkify_warehouse::{ResultType, RowSink, Value, WarehouseError};

/// Takes rows up to a limit, then gives up: the engine makes no more of them.
pub(super) struct Limited<'a> {
    /// Takes what is within the limit.
    pub to: &'a mut dyn Writer,
    /// Rows that may still come.
    pub left: u64,
    /// Whether a row came beyond.
    pub more: bool,
}

impl RowSink for Limited<'_> {
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

/// Whether a text is larger than a screen of so many columns and rows.
pub(super) fn overflows(text: &[u8], (columns, rows): (u16, u16)) -> bool {
    let text = String::from_utf8_lossy(text);
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    // The prompt takes a row.
    text.lines().count() >= rows.into() || widest > columns.into()
}

/// Shows a text in the pager; false when there is none that starts.
pub(super) fn page(text: &[u8]) -> bool {
    let pager = sparkify_config::shell::pager();
    let started = Command::new("sh").args(["-c", &pager]).stdin(Stdio::piped()).spawn();
    let Ok(mut pager) = started else { return false };
    if let Some(mut stdin) = pager.stdin.take() {
        // Whoever has seen enough closes it.
        let _ = stdin.write_all(text);
    }
    // What a shell says when it found no such command.
    pager.wait().is_ok_and(|status| status.code() != Some(127))
}
