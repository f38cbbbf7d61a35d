//! Bytes for people: text when they are UTF-8, else hexadecimal beside what of it is text.

use std::fmt::Write;

use sparkify_reader::{RawBytes, visible, visible_lines};

/// Bytes on a line of a dump.
const LINE: usize = 16;

/// Some lines that show `raw`, which begins at `position` of its object.
pub(super) fn shown_raw(raw: &RawBytes, position: i64) -> String {
    match std::str::from_utf8(&raw.0) {
        Ok("") => "(no bytes)\n".into(),
        Ok(text) => format!("{}\n", visible_lines(text.as_bytes())),
        Err(_) => dump(&raw.0, position),
    }
}

fn dump(bytes: &[u8], position: i64) -> String {
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
