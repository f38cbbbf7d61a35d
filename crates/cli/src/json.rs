//! JSON as this room prints it: exact, and safe to look at.
//!
//! The characters that a terminal obeys are escaped. JSON demands that for those below U+0020 and leaves U+007F to U+009F alone, which terminals obey too.

use std::fmt::Write;
use std::io;

use serde::Serialize;

/// A document for people and programs, without a line end behind it.
pub(super) fn pretty(document: &impl Serialize) -> io::Result<String> {
    Ok(safe(serde_json::to_string_pretty(document)?))
}

/// A document on one line, without its end.
pub(super) fn line(document: &impl Serialize) -> io::Result<String> {
    Ok(safe(serde_json::to_string(document)?))
}

fn safe(json: String) -> String {
    let obeyed = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    if !json.contains(obeyed) {
        return json;
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if obeyed(c) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_terminal_obeys_is_escaped_and_comes_back() {
        let text = "\u{1b}[1m \u{7f} \u{9b}1m ö";
        let line = super::line(&text).unwrap();
        assert_eq!(line, r#""\u001b[1m \u007f \u009b1m ö""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
