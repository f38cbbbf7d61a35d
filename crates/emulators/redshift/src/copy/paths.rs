//! JSONPaths files, which map values of a record to columns by position.
//!
//! DG/copy-parameters-data-format.html, "JSONPaths file" and "JSONPath expressions";
//! DG/copy-usage_notes-copy-from-json.html, "JSONPath option". A file with another key than
//! `jsonpaths` is silently ignored in favor of `'auto'`. Dot and bracket notation cannot be mixed;
//! wildcards are not supported.

use super::json::{Body, Value, single_value};

/// Step from a value to a nested one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

/// Path to a value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    Dots,
    Brackets,
}

/// Parses a JSONPaths file; returns `None` if it has no key `jsonpaths`.
pub(super) fn paths(file: &[u8]) -> Result<Option<Vec<Path>>, String> {
    let value = single_value(file).map_err(str::to_owned)?;
    if !matches!(value.body, Body::Object(_)) {
        return Err("the file is not a JSON object".to_owned());
    }
    let Some(listed) = value.member(b"jsonpaths") else { return Ok(None) };
    let Body::Array(listed) = &listed.body else {
        return Err("`jsonpaths` is not an array".to_owned());
    };
    let mut notation = None;
    let mut paths = Vec::new();
    for expression in listed {
        let text = expression.text().filter(|text| !text.is_empty());
        let text = text.ok_or("an element is an empty string or isn't a string")?;
        paths.push(path(text, &mut notation).ok_or_else(|| format!("'{text}'"))?);
    }
    Ok(Some(paths))
}

/// Parses an expression. The first member name in the file determines the notation of all others.
fn path(text: &str, notation: &mut Option<Notation>) -> Option<Path> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after, by) = if let Some(named) = rest.strip_prefix('.') {
            let length = named.find(['.', '[']).unwrap_or(named.len());
            let (name, after) = named.split_at(length);
            (member(name)?, after, Some(Notation::Dots))
        } else if let Some(named) = rest.strip_prefix("['") {
            let (name, after) = named.split_once("']")?;
            (Step::Member(name.to_owned()), after, Some(Notation::Brackets))
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            let is_number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
            (Step::Element(index.parse().ok().filter(|_| is_number)?), after, None)
        };
        if by.is_some() && *notation.get_or_insert(by?) != by? {
            return None;
        }
        steps.push(step);
        rest = after;
    }
    if steps.is_empty() { None } else { Some(Path(steps)) }
}

/// Parses a member name in dot notation, which contains no wildcards or filters.
fn member(name: &str) -> Option<Step> {
    let is_invalid = name.is_empty() || name.contains(['\'', ']', '*', '?', '@', '"']);
    if is_invalid { None } else { Some(Step::Member(name.to_owned())) }
}

impl Path {
    /// Finds the value in a record. A missing member is `None`, a missing array element an error.
    pub(super) fn find<'v, 'a>(
        &self,
        record: &'v Value<'a>,
    ) -> Result<Option<&'v Value<'a>>, &'static str> {
        let mut found = Some(record);
        for step in &self.0 {
            found = match (step, found) {
                (Step::Member(_), None) => None,
                (Step::Member(name), Some(value)) => match value.body {
                    Body::Object(_) => value.member(name.as_bytes()),
                    Body::Null => None,
                    _ => return Err("Invalid JSONPath format: Member is not an object."),
                },
                (Step::Element(index), value) => match value.map(|value| &value.body) {
                    Some(Body::Array(elements)) if *index < elements.len() => {
                        Some(&elements[*index])
                    }
                    _ => {
                        return Err("Invalid JSONPath format: Not an array or index out of range.");
                    }
                },
            };
        }
        Ok(found)
    }
}
