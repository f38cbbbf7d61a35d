//! Values put back into `dwh.cfg`: the endpoint and the role's ARN, once they are known. Never a password.
//!
//! Only what stands behind the key changes; every other byte stays as it is, comments, order, quotes and line ends. The file is exchanged for the new
//! one in one step, so that no reader sees half of it.

use std::io::Write;
use std::path::Path;

use super::ConfigError;

/// A value and where it belongs: section, key, value.
pub type Entry<'a> = (&'a str, &'a str, &'a str);

/// Puts `entries` into the file, and says how many of them changed anything. A file that is not there is made.
pub fn write_back(path: &Path, entries: &[Entry<'_>]) -> Result<usize, ConfigError> {
    let fail = |source| ConfigError::Unwritable { path: path.to_path_buf(), source };
    // A link is followed: it is the file that changes.
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

/// The text with one value in it.
fn with(text: &str, (section, key, value): Entry<'_>) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut inside = false;
    // Behind the last line of the section that says anything.
    let mut place = None;
    for (number, line) in lines.iter().enumerate() {
        let plain = line.trim_start_matches('\u{feff}').trim();
        if plain.starts_with('[') && plain.ends_with(']') {
            inside = plain[1..plain.len() - 1].trim().eq_ignore_ascii_case(section);
        } else if inside && let Some(changed) = replaced(line, key, value) {
            let rest = lines[number + 1..].concat();
            return format!("{}{changed}{rest}", lines[..number].concat());
        }
        if inside && !plain.is_empty() {
            place = Some(number + 1);
        }
    }
    let new = format!("{key} = {value}{end}");
    let ended = |text: String| match text.as_str() {
        "" => text,
        whole if whole.ends_with('\n') => text,
        _ => text + end,
    };
    if let Some(place) = place {
        let before = ended(lines[..place].concat());
        return format!("{before}{new}{}", lines[place..].concat());
    }
    let gap = if text.is_empty() { "" } else { end };
    format!("{}{gap}[{section}]{end}{new}", ended(text.to_owned()))
}

/// The line with another value, if it is this key's; quotes and line end stay.
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
    let behind = if old.is_empty() { "" } else { &rest[blank.len() + old.len()..] };
    Some(format!("{}{blank}{quote}{value}{quote}{behind}{line_end}", &body[..=delimiter]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_value_changes() {
        let text = "\u{feff}# ours\r\n[CLUSTER]\r\nHOST=''\r\nDB_PASSWORD=\"a=b\"  \r\n\r\n[iam_role]\r\narn : 'old'\r\n; end";
        let host = with(text, ("CLUSTER", "HOST", "h.example"));
        assert_eq!(host, text.replace("HOST=''", "HOST='h.example'"));
        let arn = with(&host, ("IAM_ROLE", "ARN", "new"));
        assert_eq!(arn, host.replace("'old'", "'new'"));
    }

    #[test]
    fn what_is_not_there_is_added_to_its_section() {
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
