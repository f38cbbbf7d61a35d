//! Source bytes for the terminal: UTF-8 as text, other bytes as a hex dump.

use std::fmt::Write;

use sparkify_reader::{RawBytes, visible, visible_lines};

/// Bytes per line of a hex dump.
const LINE: usize = 16;

/// Formats `raw`, which begins at `position` of its object.
pub(super) fn format_bytes(raw: &RawBytes, position: i64) -> String {
    match std::str::from_utf8(&raw.0) {
        Ok("") => "(no bytes)\n".into(),
        Ok(text) => format!("{}\n", visible_lines(text.as_bytes())),
        Err(_) => hex_dump(&raw.0, position),
    }
}

fn hex_dump(bytes: &[u8], position: i64) -> String {
    let mut text = String::new();
    for (line, part) in (0_i64..).zip(bytes.chunks(LINE)) {
        let _ = write!(text, "{:>10} ", position + line * 16);
        for byte in part {
            let _ = write!(text, " {byte:02x}");
        }
        let gap = 3 * (LINE - part.len());
        let _ = writeln!(text, "{:gap$}  {}", "", visible(part));
    }
    text
}
