//! What the ledger holds of one object, in as little memory as will do: there may be millions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::warehouse::{RowSink, Value, WarehouseError};

/// An object that was loaded.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub object_id: i64,
    pub source: Arc<str>,
    pub size: u64,
    pub modified_ns: Option<i64>,
    pub etag: Option<Arc<str>>,
    /// None where nobody here read it.
    pub fingerprint: Option<u128>,
    pub staged: u64,
    pub rejected: u64,
    /// The number of the group that it was fetched with.
    pub group: Option<i64>,
}

/// A fingerprint, which is written in 32 hexadecimal digits.
pub(super) fn parsed(fingerprint: &str) -> Option<u128> {
    u128::from_str_radix(fingerprint, 16).ok()
}

/// Takes objects in as the warehouse tells them, one by one.
pub(super) struct Reading<'a> {
    objects: &'a mut BTreeMap<Arc<str>, Known>,
    /// The few words that say what an object holds, each once.
    sources: Vec<Arc<str>>,
}

impl<'a> Reading<'a> {
    pub(super) fn into(objects: &'a mut BTreeMap<Arc<str>, Known>) -> Self {
        Self { objects, sources: Vec::new() }
    }

    fn source(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.sources.iter().find(|known| &***known == word) {
            return Arc::clone(known);
        }
        let word: Arc<str> = word.into();
        self.sources.push(Arc::clone(&word));
        word
    }
}

impl RowSink for Reading<'_> {
    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let number = |index: usize| row.get(index).and_then(Value::as_i64);
        let count = |index| number(index).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let text = |index: usize| row.get(index).and_then(Value::as_text);
        let known = Known {
            object_id: number(0).unwrap_or_default(),
            source: self.source(text(2).unwrap_or_default()),
            size: count(3),
            modified_ns: number(4),
            etag: text(5).map(Arc::from),
            fingerprint: text(6).and_then(parsed),
            staged: count(7),
            rejected: count(8),
            group: number(9),
        };
        self.objects.insert(text(1).unwrap_or_default().into(), known);
        Ok(())
    }
}
