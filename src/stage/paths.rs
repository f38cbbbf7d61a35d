//! A `JSONPaths` file, as far as it is about flat records: which key each of its paths means.
//!
//! Such a file is positional: its i-th path fills the i-th column that a COPY names. So its order decides the order of the columns, and a path to a key that
//! no column takes has no place. Form: docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html.

use super::direct::DirectError;
use super::schema::{Field, RecordKind};
use crate::source::{Content, Object, Sources};

/// Such files are short; this many bytes are no `JSONPaths`.
const LONGEST: u64 = 1 << 20;

/// The places of the keys that the file at `location` names, in its order.
pub(super) fn places(
    sources: &Sources,
    location: &str,
    kind: RecordKind,
) -> Result<Vec<usize>, super::StageError> {
    let object = sources.find(location)?;
    let wrong = |reason: String| DirectError::Paths { location: location.to_owned(), reason };
    let text = read(&object)?;
    Ok(parse(&text, kind.fields()).map_err(wrong)?)
}

fn read(object: &Object) -> Result<Vec<u8>, super::StageError> {
    let (mut content, mut text) = (Content::open(object)?, Vec::new());
    let mut buffer = [0; 1 << 14];
    loop {
        let read = content.read(&mut buffer)?;
        text.extend_from_slice(&buffer[..read]);
        if read == 0 || text.len() as u64 > LONGEST {
            return Ok(text);
        }
    }
}

pub(super) fn parse(text: &[u8], fields: &[Field]) -> Result<Vec<usize>, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let file: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("it is no JSON ({error})"))?;
    let paths = file.get("jsonpaths").and_then(serde_json::Value::as_array);
    let paths = paths.ok_or("it has no list `jsonpaths`")?;
    let mut places = Vec::new();
    for path in paths {
        let path = path.as_str().ok_or("a path is no text")?;
        let key =
            key_of(path).ok_or_else(|| format!("`{path}` is no path to a key of a record"))?;
        let place = fields.iter().position(|field| field.key == key);
        let place = place.ok_or_else(|| format!("`{path}` leads to a key that no column takes"))?;
        if places.contains(&place) {
            return Err(format!("`{path}` is there twice"));
        }
        places.push(place);
    }
    let mut needed = fields.iter().enumerate().filter(|(_, field)| field.needed);
    match needed.find(|(place, _)| !places.contains(place)) {
        Some((_, field)) => {
            Err(format!("no path leads to `{}`, which every record needs", field.key))
        }
        None => Ok(places),
    }
}

/// `$['key']`, `$["key"]` or `$.key`.
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
        parse(format!("{{\"jsonpaths\": [{paths}]}}").as_bytes(), RecordKind::Events.fields())
    }

    #[test]
    fn the_order_of_the_paths_is_that_of_the_columns() {
        let places = events(r#""$['ts']", "$.page", "$[\"sessionId\"]", "$['itemInSession']""#);
        let keys: Vec<_> =
            places.unwrap().into_iter().map(|place| RecordKind::Events.keys()[place]).collect();
        assert_eq!(keys, ["ts", "page", "sessionId", "itemInSession"]);
    }

    #[test]
    fn what_no_column_takes_is_named() {
        for (paths, what) in [
            (r#""$['ts']", "$['tag']""#, "`$['tag']` leads to a key that no column takes"),
            (r#""$['ts']", "$.ts""#, "`$.ts` is there twice"),
            (r#""$['ts']""#, "no path leads to `itemInSession`"),
            (r#""$['a']['b']""#, "is no path to a key"),
            ("7", "a path is no text"),
        ] {
            let said = events(paths).unwrap_err();
            assert!(said.contains(what), "{said}");
        }
        assert!(
            parse(b"{\"jsonpath\": []}", RecordKind::Events.fields())
                .unwrap_err()
                .contains("no list")
        );
        assert!(parse(b"[", RecordKind::Events.fields()).unwrap_err().contains("no JSON"));
    }
}
