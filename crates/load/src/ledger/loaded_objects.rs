//! Ledger entries of loaded objects, in a compact form: there may be millions.

use sparkify_source::Fingerprint;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Ledger entry of an object that was loaded.
#[derive(Debug)]
pub(super) struct LoadedObject {
    pub key: Box<str>,
    pub object_id: i64,
    pub size: u64,
    pub modified_ns: Option<i64>,
    /// Etag, or version of a file; see [`sparkify_source::Object::version`].
    pub version: Option<Box<str>>,
    /// None if the warehouse copied the object itself.
    pub fingerprint: Option<Fingerprint>,
    /// Index into [`LoadedObjects::kinds`].
    kind: u8,
    pub staged: u64,
    pub rejected: u64,
    /// Number of the group that it was copied with.
    pub group: Option<i64>,
    /// Time at which the load that read it began, in milliseconds since 1970 UTC.
    pub loaded_ms: i64,
    /// True if its key was changed by this run.
    pub relocated: bool,
}

/// All loaded objects. [`LoadedObjects::sort`] brings them into key order after the last row was
/// received.
#[derive(Debug, Default)]
pub(super) struct LoadedObjects {
    objects: Vec<LoadedObject>,
    /// Distinct record kinds, so that an object stores an index instead of a string.
    kinds: Vec<String>,
}

impl LoadedObjects {
    /// Returns all objects in key order.
    pub(super) fn all(&self) -> &[LoadedObject] {
        &self.objects
    }

    /// Returns the objects with records of `kind`, in key order.
    pub(super) fn of<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a LoadedObject> {
        let kind = self.kinds.iter().position(|name| name == kind);
        self.objects.iter().filter(move |object| Some(usize::from(object.kind)) == kind)
    }

    /// Returns the object with this key.
    pub(super) fn get(&self, key: &str) -> Option<&LoadedObject> {
        let at = self.objects.binary_search_by(|object| (*object.key).cmp(key)).ok()?;
        self.objects.get(at)
    }

    /// Passes each object to `change`, which may change its key.
    pub(super) fn change_each(&mut self, change: impl FnMut(&mut LoadedObject)) {
        self.objects.iter_mut().for_each(change);
        self.sort();
    }

    fn kind_index(&mut self, kind: &str) -> u8 {
        let index = self.kinds.iter().position(|name| name == kind).unwrap_or_else(|| {
            self.kinds.push(kind.to_owned());
            self.kinds.len() - 1
        });
        u8::try_from(index).unwrap_or(u8::MAX)
    }

    pub(super) fn sort(&mut self) {
        self.objects.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    }
}

/// Receives the rows of `load/objects.sql`.
impl RowSink for LoadedObjects {
    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let number = |index: usize| row.get(index).and_then(Value::as_i64);
        let count = |index| number(index).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let text = |index: usize| row.get(index).and_then(Value::as_text);
        let kind = self.kind_index(text(2).unwrap_or_default());
        self.objects.push(LoadedObject {
            key: text(1).unwrap_or_default().into(),
            object_id: number(0).unwrap_or_default(),
            size: count(3),
            modified_ns: number(4),
            version: text(5).map(Box::from),
            fingerprint: text(6).and_then(Fingerprint::parse),
            kind,
            staged: count(7),
            rejected: count(8),
            group: number(9),
            loaded_ms: number(10).unwrap_or_default(),
            relocated: false,
        });
        Ok(())
    }
}
