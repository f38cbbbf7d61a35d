//! Erased persons, whose records a load leaves out.
//!
//! A warehouse knows them only by keyed hashes (HMAC-SHA256, RFC 2104): of the user's ID, of each
//! name, and of the bytes of each rejected record that named the person. Without the key, which is
//! not stored in the warehouse, a hash cannot be traced back to one of the few possible IDs.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::limits::remove_last_row;
use super::schema::RecordKind;
use super::text::repair;
use sparkify_warehouse::{Batch, Values};

/// Bytes of a hash that are kept: 128 bits.
const HASH_BYTES: usize = 16;
/// Bytes of a rejected record that its hash covers. A reject may be kept with no more.
const HASHED_BYTES: usize = 16 << 10;
/// Longest name that is searched for in a rejected record, in bytes.
const MAX_NAME: usize = 1024;

/// Key of the hashes.
#[derive(Clone)]
pub struct ErasureKey(Hmac<Sha256>);

impl std::fmt::Debug for ErasureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("****")
    }
}

impl ErasureKey {
    /// Creates the key from a secret of any length.
    pub fn new(secret: &str) -> Self {
        // HMAC accepts keys of every length.
        Self(Hmac::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| unreachable!()))
    }

    /// Returns the identifier of the key, by which a wrong key is noticed.
    pub fn id(&self) -> String {
        self.hash("key", &[])
    }

    /// Returns the hash of a user.
    pub fn user(&self, user_id: i64) -> String {
        self.hash("user", &[user_id.to_string().as_bytes()])
    }

    /// Returns the hash of a name, as staged.
    pub fn name(&self, first: &str, last: &str) -> String {
        self.hash("name", &[first.as_bytes(), last.as_bytes()])
    }

    /// Returns the hash of a rejected record.
    pub fn record(&self, raw: &[u8]) -> String {
        self.hash("record", &[&raw[..raw.len().min(HASHED_BYTES)]])
    }

    /// Returns the hash of a value of this kind, in hexadecimal. Lengths make it unambiguous.
    fn hash(&self, kind: &str, parts: &[&[u8]]) -> String {
        let mut mac = self.0.clone();
        for part in [kind.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let mut hash = String::new();
        for byte in &mac.finalize().into_bytes()[..HASH_BYTES] {
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }
}

/// Hashes of the erased persons of a warehouse.
#[derive(Debug)]
pub struct Erasures {
    key: ErasureKey,
    hashes: BTreeSet<String>,
}

impl Erasures {
    /// Creates the set of these hashes under `key`.
    pub fn new(key: ErasureKey, hashes: BTreeSet<String>) -> Self {
        Self { key, hashes }
    }

    /// Returns true if the user is erased.
    pub fn has_user(&self, user_id: i64) -> bool {
        self.hashes.contains(&self.key.user(user_id))
    }

    /// Returns true if a rejected record was kept about an erased person, or names one: by the
    /// user's ID or by the name, also where the JSON is damaged.
    pub fn has_reject(&self, raw: &[u8]) -> bool {
        self.hashes.contains(&self.key.record(raw))
            || user_ids(raw).any(|user_id| self.has_user(user_id))
            || self.has_name(raw)
    }

    fn has_name(&self, raw: &[u8]) -> bool {
        let names = |key: &str| texts_of(raw, key).map(staged).collect::<Vec<_>>();
        let last_names = names("lastName");
        names("firstName").iter().any(|first| {
            last_names.iter().any(|last| self.hashes.contains(&self.key.name(first, last)))
        })
    }
}

/// Returns a name as staging holds it.
fn staged(text: String) -> String {
    repair(&text).unwrap_or(text)
}

/// Returns the text that follows each occurrence of a key, where it is a complete JSON string.
fn texts_of<'a>(raw: &'a [u8], key: &str) -> impl Iterator<Item = String> + use<'a> {
    values_of(raw, key).filter_map(|value| {
        let rest = value.strip_prefix(b"\"")?;
        let mut escaped = false;
        let end = rest.iter().take(MAX_NAME).position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })?;
        serde_json::from_slice(&value[..end + 2]).ok()
    })
}

/// Returns the integer that follows each occurrence of `userId`, as a number or as text.
fn user_ids(raw: &[u8]) -> impl Iterator<Item = i64> {
    values_of(raw, "userId").filter_map(|value| {
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let end = value.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b'-'));
        let digits = &value[..end.unwrap_or(value.len()).min(MAX_NAME)];
        std::str::from_utf8(digits).ok()?.parse().ok()
    })
}

/// Returns the bytes after each occurrence of `"key":`.
fn values_of<'a>(raw: &'a [u8], key: &str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let quoted = format!("\"{key}\"");
    let length = quoted.len();
    let found: Vec<usize> = memchr::memmem::find_iter(raw, &quoted).collect();
    found.into_iter().filter_map(move |at| {
        Some(raw[at + length..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
    })
}

/// Filter of one parser.
#[derive(Debug, Default)]
pub(super) struct ErasureFilter {
    erasures: Option<Arc<Erasures>>,
    /// Column of the user's ID.
    column: usize,
    /// Users that were looked up: a hash costs more than the parsing of a record.
    known: HashMap<i64, bool>,
}

impl ErasureFilter {
    /// Creates the filter of one kind of record: only events have users.
    pub(super) fn new(kind: RecordKind, erasures: Option<Arc<Erasures>>) -> Self {
        let column = kind.keys().iter().position(|key| *key == "userId");
        let erasures = erasures.filter(|_| column.is_some());
        Self { erasures, column: column.unwrap_or_default(), known: HashMap::new() }
    }

    /// Returns true if the user is erased.
    pub(super) fn has_user(&self, user_id: i64) -> bool {
        self.erasures.as_ref().is_some_and(|erasures| erasures.has_user(user_id))
    }

    /// Removes the last row if its user is erased, and returns true then.
    pub(super) fn remove_erased(&mut self, batch: &mut Batch) -> bool {
        let Some(erasures) = &self.erasures else { return false };
        let (column, row) = (&batch.columns[self.column], batch.len() - 1);
        let Values::BigInt(values) = &column.values else { return false };
        if column.nulls.last() == Some(&row) {
            return false;
        }
        let user_id = values[row];
        let is_erased = *self.known.entry(user_id).or_insert_with(|| erasures.has_user(user_id));
        if is_erased {
            remove_last_row(batch);
        }
        is_erased
    }

    /// Returns true if a rejected record names an erased person.
    pub(super) fn has_reject(&self, raw: &[u8]) -> bool {
        self.erasures.as_ref().is_some_and(|erasures| erasures.has_reject(raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_key_kind_and_value() {
        let (one, other) = (ErasureKey::new("one"), ErasureKey::new("other"));
        let hashes = [
            one.id(),
            other.id(),
            one.user(1),
            other.user(1),
            one.user(-1),
            one.name("1", ""),
            one.name("", "1"),
            one.record(b"1"),
        ];
        let distinct: BTreeSet<&String> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        // Computed with Python: hmac.new(b"one", …, "sha256") of the lengths and parts.
        assert_eq!(one.user(1), "afccec506cc4abf7e4d735e4e1670370");
        assert_eq!(format!("{one:?}"), "****");
        let long = vec![b'x'; HASHED_BYTES + 1];
        assert_eq!(one.record(&long), one.record(&long[..HASHED_BYTES]));
    }

    #[test]
    fn a_damaged_record_that_names_an_erased_person_is_found() {
        let key = ErasureKey::new("k");
        let broken = &b"{\"page\":\"Home\",\"userId"[..];
        let hashes = [key.user(26), key.name("Ryan \"R\"", "Smith"), key.record(broken)];
        let erasures = Erasures::new(key, hashes.into());
        let name = r#"{"firstName":"Ryan \"R\"","lastName" : "Smith","userId":"#;
        for raw in [
            &br#"{"userId":"26","page":null}"#[..],
            br#"{"userId" : 26, "ts":"x"#,
            br#"{"userId":"7"} {"userId":"26x"#,
            name.as_bytes(),
            broken,
        ] {
            assert!(erasures.has_reject(raw), "{}", String::from_utf8_lossy(raw));
        }
        for raw in [
            &br#"{"userId":"260"}"#[..],
            br#"{"userId":"226"}"#,
            br#"{"itemInSession":26}"#,
            br#"{"firstName":"Ryan \"R\"","lastName":"Smithe"}"#,
            br#"{"firstName":"Ryan \"R"#,
            b"\"userId\"",
            b"",
        ] {
            assert!(!erasures.has_reject(raw), "{}", String::from_utf8_lossy(raw));
        }
    }
}
