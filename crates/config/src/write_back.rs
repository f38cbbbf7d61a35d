//! Writes values into `dwh.cfg`: the endpoint and the role's ARN, never a password.
//!
//! Only values change. Comments, order, quotes and line ends are kept byte for byte. The file is
//! written atomically.

use std::io::Write;
use std::path::Path;

use super::ConfigError;

/// Section, key and value.
pub type Entry<'a> = (&'a str, &'a str, &'a str);

/// Writes `entries` into the file, which is created if missing. Returns the number of changed
/// values.
pub fn write_back(path: &Path, entries: &[Entry<'_>]) -> Result<usize, ConfigError> {
    let fail = |source| ConfigError::Unwritable { path: path.to_path_buf(), source };
    // Resolves a symbolic link, so that the link is kept and its target changes.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(fail(source)),
    };
    let mut text = before.clone();
    let mut changed = 0;
    for entry in entries {
        let after = with(&text, *entry);
        changed += usize::from(after != text);
        text = after;
    }
    if text == before {
        return Ok(0);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".dwh.cfg.")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    if let Ok(found) = std::fs::metadata(path) {
        std::fs::set_permissions(file.path(), found.permissions()).map_err(fail)?;
    }
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(changed)
}

/// Returns the text with one value set.
fn with(text: &str, (section, key, value): Entry<'_>) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut inside = false;
    // Line after the last non-blank line of the section: a new key is inserted there.
    let mut insert_at = None;
    for (number, line) in lines.iter().enumerate() {
        let plain = line.trim_start_matches('\u{feff}').trim();
        if plain.starts_with('[') && plain.ends_with(']') {
            inside = plain[1..plain.len() - 1].trim().eq_ignore_ascii_case(section);
        } else if inside && let Some(changed) = replaced(line, key, value) {
            let rest = lines[number + 1..].concat();
            return format!("{}{changed}{rest}", lines[..number].concat());
        }
        if inside && !plain.is_empty() {
            insert_at = Some(number + 1);
        }
    }
    let new = format!("{key} = {value}{end}");
    let with_line_end = |text: String| match text.as_str() {
        "" => text,
        complete if complete.ends_with('\n') => text,
        _ => text + end,
    };
    if let Some(line) = insert_at {
        let before = with_line_end(lines[..line].concat());
        return format!("{before}{new}{}", lines[line..].concat());
    }
    let gap = if text.is_empty() { "" } else { end };
    format!("{}{gap}[{section}]{end}{new}", with_line_end(text.to_owned()))
}

/// Returns the line with its value replaced, if it is the line of `key`; keeps quotes and line end.
fn replaced(line: &str, key: &str, value: &str) -> Option<String> {
    let body = line.trim_end_matches(['\n', '\r']);
    let line_end = &line[body.len()..];
    let delimiter = body.find(['=', ':'])?;
    let name = body[..delimiter].trim();
    if name.starts_with(['#', ';']) || !name.eq_ignore_ascii_case(key) {
        return None;
    }
    let rest = &body[delimiter + 1..];
    let old = rest.trim();
    let blank = &rest[..rest.len() - rest.trim_start().len()];
    let quote = ['\'', '"']
        .into_iter()
        .find(|quote| old.len() >= 2 && old.starts_with(*quote) && old.ends_with(*quote));
    let quote = quote.map(String::from).unwrap_or_default();
    let trailing = if old.is_empty() { "" } else { &rest[blank.len() + old.len()..] };
    Some(format!("{}{blank}{quote}{value}{quote}{trailing}{line_end}", &body[..=delimiter]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_value_changes() {
        let text = "\u{feff}# comment\r\n[CLUSTER]\r\nHOST=''\r\nDB_PASSWORD=\"a=b\"  \r\n\r\n[iam_role]\r\narn : 'old'\r\n; end";
        let host = with(text, ("CLUSTER", "HOST", "h.example"));
        assert_eq!(host, text.replace("HOST=''", "HOST='h.example'"));
        let arn = with(&host, ("IAM_ROLE", "ARN", "new"));
        assert_eq!(arn, host.replace("'old'", "'new'"));
    }

    #[test]
    fn missing_keys_are_added_to_their_section() {
        let text = "[CLUSTER]\nDB_NAME=dwh\n\n[S3]\nA=1";
        let with_host = with(text, ("CLUSTER", "HOST", "h"));
        assert_eq!(with_host, "[CLUSTER]\nDB_NAME=dwh\nHOST = h\n\n[S3]\nA=1");
        assert_eq!(
            with(text, ("IAM_ROLE", "ARN", "x")),
            format!("{text}\n\n[IAM_ROLE]\nARN = x\n")
        );
        assert_eq!(with("", ("IAM_ROLE", "ARN", "x")), "[IAM_ROLE]\nARN = x\n");
        assert_eq!(with("[S3]\n#A=1", ("S3", "A", "2")), "[S3]\n#A=1\nA = 2\n");
    }
}
