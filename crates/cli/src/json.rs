//! JSON output that is safe to print on a terminal.
//!
//! Control characters are escaped. JSON requires this only below U+0020, but terminals also
//! interpret U+007F to U+009F.

use std::fmt::Write;
use std::io;

use serde::Serialize;

/// Formats a document with indentation, without a final newline.
pub(super) fn pretty(document: &impl Serialize) -> io::Result<String> {
    Ok(escape_controls(serde_json::to_string_pretty(document)?))
}

/// Formats a document on one line, without a final newline.
pub(super) fn line(document: &impl Serialize) -> io::Result<String> {
    Ok(escape_controls(serde_json::to_string(document)?))
}

fn escape_controls(json: String) -> String {
    let is_control = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    if !json.contains(is_control) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_control(c) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn control_characters_are_escaped_and_round_trip() {
        let text = "\u{1b}[1m \u{7f} \u{9b}1m ö";
        let line = super::line(&text).unwrap();
        assert_eq!(line, r#""\u001b[1m \u007f \u009b1m ö""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
