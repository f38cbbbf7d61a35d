//! What the ledger holds of one object, in as little memory as will do: there may be millions.

use sparkify_source::Fingerprint;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// An object that was loaded.
#[derive(Debug)]
pub(super) struct Known {
    pub key: Box<str>,
    pub object_id: i64,
    pub size: u64,
    pub modified_ns: Option<i64>,
    pub etag: Option<Box<str>>,
    /// None where nobody here read it.
    pub fingerprint: Option<Fingerprint>,
    /// Which of [`Objects::kinds`] it holds.
    kind: u8,
    pub staged: u64,
    pub rejected: u64,
    /// The number of the group that it was fetched with.
    pub group: Option<i64>,
}

/// Every object that was loaded, by key.
#[derive(Debug, Default)]
pub(super) struct Objects {
    known: Vec<Known>,
    /// The few words that say what an object holds, each once.
    kinds: Vec<String>,
}

impl Objects {
    /// All of them, in the order of their keys.
    pub(super) fn all(&self) -> &[Known] {
        &self.known
    }

    /// Those that hold `kind`, in the order of their keys.
    pub(super) fn of<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Known> {
        let kind = self.kinds.iter().position(|known| known == kind);
        self.known.iter().filter(move |known| Some(usize::from(known.kind)) == kind)
    }

    fn kind(&mut self, word: &str) -> u8 {
        let at = self.kinds.iter().position(|known| known == word).unwrap_or_else(|| {
            self.kinds.push(word.to_owned());
            self.kinds.len() - 1
        });
        u8::try_from(at).unwrap_or(u8::MAX)
    }

    /// After the last row.
    pub(super) fn sort(&mut self) {
        self.known.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    }
}

/// Takes objects in as the warehouse tells them, one by one.
impl RowSink for Objects {
    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let number = |index: usize| row.get(index).and_then(Value::as_i64);
        let count = |index| number(index).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let text = |index: usize| row.get(index).and_then(Value::as_text);
        let kind = self.kind(text(2).unwrap_or_default());
        self.known.push(Known {
            key: text(1).unwrap_or_default().into(),
            object_id: number(0).unwrap_or_default(),
            size: count(3),
            modified_ns: number(4),
            etag: text(5).map(Box::from),
            fingerprint: text(6).and_then(Fingerprint::parse),
            kind,
            staged: count(7),
            rejected: count(8),
            group: number(9),
        });
        Ok(())
    }
}
