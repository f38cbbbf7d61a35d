//! Values of a record by their paths, and the types of columns.

use md5::{Digest, Md5};

use super::json::Json;
use crate::oracle::{is_number, whole_number};

/// The record is rejected.
#[derive(Debug)]
pub(super) struct Rejected;

/// Record of one export.
pub(super) struct Fields<'a> {
    pub(super) record: &'a Json,
    /// Empty text is no value.
    pub(super) empty_is_null: bool,
}

impl<'a> Fields<'a> {
    /// Returns the value at a path such as `track/artists/[primary]`. Null and missing are no
    /// value.
    fn at(&self, path: &str) -> Option<&'a Json> {
        let mut here = self.record;
        for step in path.split('/') {
            here = if step == "[primary]" { primary(here)? } else { here.member(step)? };
        }
        match here {
            Json::Null => None,
            Json::Text(text) if text.is_empty() && self.empty_is_null => None,
            value => Some(value),
        }
    }

    /// Returns the first value of several paths.
    pub(super) fn first(&self, paths: &[&str]) -> Option<&'a Json> {
        paths.iter().find_map(|path| self.at(path))
    }

    pub(super) fn has(&self, paths: &[&str]) -> bool {
        self.first(paths).is_some()
    }

    /// Whether the text of the value is this one.
    pub(super) fn is(&self, path: &str, expected: &str) -> bool {
        matches!(self.at(path), Some(Json::Text(text) | Json::Number(text)) if text == expected)
    }

    pub(super) fn text(&self, paths: &[&str]) -> Result<Option<String>, Rejected> {
        self.first(paths).map(text_of).transpose()
    }

    pub(super) fn double(&self, paths: &[&str]) -> Result<Option<f64>, Rejected> {
        self.first(paths).map(double_of).transpose()
    }

    pub(super) fn whole(&self, paths: &[&str]) -> Result<Option<i64>, Rejected> {
        self.first(paths).map(whole_of).transpose()
    }

    /// Returns all values and the non-empty texts of lists, joined.
    pub(super) fn joined(
        &self,
        paths: &[&str],
        separator: &str,
        sort: bool,
    ) -> Result<Option<String>, Rejected> {
        let mut texts = Vec::new();
        for value in paths.iter().filter_map(|path| self.at(path)) {
            match value {
                Json::List(items) => texts.extend(non_empty(items)?),
                value => texts.push(text_of(value)?),
            }
        }
        if sort {
            texts.sort();
        }
        Ok((!texts.is_empty()).then(|| texts.join(separator)))
    }

    /// Returns `item_in_session`: 31 bits of the md5 of the identity.
    pub(super) fn item(&self, identity: &[&[&str]]) -> Result<i32, Rejected> {
        let mut hashed = Vec::new();
        for alternatives in identity {
            for text in
                self.first(alternatives).map(identity_texts).transpose()?.unwrap_or_default()
            {
                hashed.extend_from_slice(text.as_bytes());
                hashed.push(0x1e);
            }
            hashed.push(0x1f);
        }
        let digest = Md5::digest(hashed);
        let first = [digest[0], digest[1], digest[2], digest[3]];
        Ok(i32::try_from(u32::from_be_bytes(first) >> 1).expect("31 bits"))
    }
}

/// Returns the first element that is primary, or else the first element.
fn primary(list: &Json) -> Option<&Json> {
    let Json::List(items) = list else { return None };
    let is_primary = |item: &&Json| item.member("is_primary") == Some(&Json::Bool(true));
    items.iter().find(is_primary).or(items.first())
}

fn text_of(value: &Json) -> Result<String, Rejected> {
    match value {
        Json::Text(text) | Json::Number(text) => Ok(text.clone()),
        _ => Err(Rejected),
    }
}

/// Returns a number, or a text that holds one, as written.
fn digits_of(value: &Json) -> Result<&str, Rejected> {
    match value {
        Json::Number(written) => Ok(written),
        Json::Text(text) if is_number(text) => Ok(text),
        _ => Err(Rejected),
    }
}

pub(super) fn double_of(value: &Json) -> Result<f64, Rejected> {
    let double: f64 = digits_of(value)?.parse().expect("Rust parses any JSON number");
    if double.is_finite() { Ok(double) } else { Err(Rejected) }
}

pub(super) fn whole_of(value: &Json) -> Result<i64, Rejected> {
    whole_number(digits_of(value)?).ok_or(Rejected)
}

/// Returns the texts of a list that are not empty.
fn non_empty(items: &[Json]) -> Result<Vec<String>, Rejected> {
    let texts = items.iter().filter(|item| **item != Json::Null).map(text_of);
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    Ok(texts.into_iter().filter(|text| !text.is_empty()).collect())
}

fn identity_texts(value: &Json) -> Result<Vec<String>, Rejected> {
    Ok(match value {
        Json::Number(written) => {
            vec![whole_number(written).map_or_else(|| written.clone(), |whole| whole.to_string())]
        }
        Json::List(items) => {
            let mut texts = non_empty(items)?;
            texts.sort();
            texts
        }
        value => vec![text_of(value)?],
    })
}
