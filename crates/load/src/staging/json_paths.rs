//! Parser of `JSONPaths` files for flat records.
//!
//! Such a file is positional: its i-th path fills the i-th column of a COPY. So its order decides
//! the order of the columns, and a path to an unknown key is an error. Format:
//! docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html.

use super::direct::DirectError;
use sparkify_reader::ReadError;
use sparkify_reader::RecordKind;
use sparkify_source::{Content, Object, Sources};

/// Maximum size of a `JSONPaths` file in bytes. Real ones have a few hundred.
const MAX_SIZE: u64 = 1 << 20;

/// Returns, for each path in the file at `location`, the index of its key in [`RecordKind::keys`].
pub(super) fn key_indexes(
    sources: &Sources,
    location: &str,
    kind: RecordKind,
) -> Result<Vec<usize>, super::StageError> {
    let object = sources.find(location).map_err(ReadError::from)?;
    let invalid = |reason: String| DirectError::Paths { location: location.to_owned(), reason };
    let text = read(&object)?;
    Ok(parse(&text, kind).map_err(invalid)?)
}

fn read(object: &Object) -> Result<Vec<u8>, ReadError> {
    let (mut content, mut text) = (Content::open(object)?, Vec::new());
    let mut buffer = [0; 1 << 14];
    loop {
        let read = content.read(&mut buffer)?;
        text.extend_from_slice(&buffer[..read]);
        if read == 0 || text.len() as u64 > MAX_SIZE {
            return Ok(text);
        }
    }
}

fn parse(text: &[u8], kind: RecordKind) -> Result<Vec<usize>, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let file: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("invalid JSON ({error})"))?;
    let paths = file.get("jsonpaths").and_then(serde_json::Value::as_array);
    let paths = paths.ok_or("it has no list `jsonpaths`")?;
    let mut indexes = Vec::new();
    for path in paths {
        let path = path.as_str().ok_or("a path is not a string")?;
        let key =
            key_of(path).ok_or_else(|| format!("`{path}` is not a path to a key of a record"))?;
        let index = kind.keys().iter().position(|known| *known == key);
        let index = index.ok_or_else(|| format!("`{path}` is the path of an unknown key"))?;
        if indexes.contains(&index) {
            return Err(format!("duplicate path `{path}`"));
        }
        indexes.push(index);
    }
    let missing = kind.needed().find(|index| !indexes.contains(index));
    match missing {
        Some(index) => {
            Err(format!("there is no path for the required key `{}`", kind.keys()[index]))
        }
        None => Ok(indexes),
    }
}

/// Returns the key of a path of the form `$['key']`, `$["key"]` or `$.key`.
fn key_of(path: &str) -> Option<&str> {
    let rest = path.trim().strip_prefix('$')?;
    let between = |open: &str, close: &str| rest.strip_prefix(open)?.strip_suffix(close);
    let key =
        between("['", "']").or_else(|| between("[\"", "\"]")).or_else(|| rest.strip_prefix('.'))?;
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(paths: &str) -> Result<Vec<usize>, String> {
        parse(format!("{{\"jsonpaths\": [{paths}]}}").as_bytes(), RecordKind::Events)
    }

    #[test]
    fn columns_have_the_order_of_the_paths() {
        let indexes = events(r#""$['ts']", "$.page", "$[\"sessionId\"]", "$['itemInSession']""#);
        let keys: Vec<_> =
            indexes.unwrap().into_iter().map(|index| RecordKind::Events.keys()[index]).collect();
        assert_eq!(keys, ["ts", "page", "sessionId", "itemInSession"]);
    }

    #[test]
    fn invalid_paths_are_reported() {
        for (paths, expected) in [
            (r#""$['ts']", "$['tag']""#, "`$['tag']` is the path of an unknown key"),
            (r#""$['ts']", "$.ts""#, "duplicate path `$.ts`"),
            (r#""$['ts']""#, "no path for the required key `itemInSession`"),
            (r#""$['a']['b']""#, "is not a path to a key"),
            ("7", "a path is not a string"),
        ] {
            let reason = events(paths).unwrap_err();
            assert!(reason.contains(expected), "{reason}");
        }
        assert!(parse(b"{\"jsonpath\": []}", RecordKind::Events).unwrap_err().contains("no list"));
        assert!(parse(b"[", RecordKind::Events).unwrap_err().contains("invalid JSON"));
    }
}
