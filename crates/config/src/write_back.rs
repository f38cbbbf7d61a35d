//! Writes values into `dwh.cfg`: the endpoint, the warehouse URL and the role's ARN, never a
//! password.
//!
//! Only values change, and sections that a removed value leaves empty. Comments, order, quotes and line ends are kept byte for byte. The file is
//! written atomically.

use std::io::Write;
use std::path::Path;

use super::ConfigError;
use super::file::ConfigFile;

/// Section, key and value; none removes the value.
pub type Entry<'a> = (&'a str, &'a str, Option<&'a str>);

/// Returns the value of a known key in the file; none if it is empty or missing.
pub fn read_value(path: &Path, section: &str, key: &str) -> Result<Option<String>, ConfigError> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(ConfigFile::read(path)?.get(section, key).map(str::to_owned))
}

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
    for (section, key, value) in entries {
        let after = match value {
            Some(value) => with(&text, (section, key, value)),
            None => without(&text, section, key),
        };
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
fn with(text: &str, (section, key, value): (&str, &str, &str)) -> String {
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

/// Returns the text without a value. A section that contains nothing else is removed with the blank
/// line before it.
fn without(text: &str, section: &str, key: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_header = |line: &str| {
        let plain = line.trim_start_matches('\u{feff}').trim();
        plain.starts_with('[') && plain.ends_with(']')
    };
    let names_section = |line: &&str| {
        let plain = line.trim_start_matches('\u{feff}').trim();
        is_header(line) && plain[1..plain.len() - 1].trim().eq_ignore_ascii_case(section)
    };
    let Some(start) = lines.iter().position(names_section) else {
        return text.to_owned();
    };
    let length = lines[start + 1..].iter().take_while(|line| !is_header(line)).count();
    let body = &lines[start + 1..][..length];
    let is_key = |line: &&&str| replaced(line, key, "").is_some();
    if body.iter().find(is_key).is_none() {
        return text.to_owned();
    }
    if body.iter().any(|line| !line.trim().is_empty() && !is_key(&line)) {
        return with(text, (section, key, ""));
    }
    let blank = start.checked_sub(1).is_some_and(|before| lines[before].trim().is_empty());
    let before = &lines[..start - usize::from(blank)];
    [before, &lines[start + 1 + length..]].concat().concat()
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
    fn a_section_that_was_added_is_removed() {
        for text in ["[S3]\nA=1\n", "[S3]\nA=1\n\n[X]\n", ""] {
            let with_url = with(text, ("WAREHOUSE", "URL", "u"));
            let expected = text;
            assert_eq!(without(&with_url, "WAREHOUSE", "URL"), expected, "{with_url:?}");
            assert_eq!(without(text, "WAREHOUSE", "URL"), text);
        }
        let shared = "[WAREHOUSE]\nURL = 'u'\nSCHEMA = s\n\n[S3]\nA=1\n";
        assert_eq!(without(shared, "WAREHOUSE", "URL"), shared.replace("'u'", "''"));
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
