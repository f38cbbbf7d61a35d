//! Entry of a COPY in the cluster's load history.
//!
//! The guide does not say that `pg_last_copy_id()` numbers a COPY as `SYS_LOAD_HISTORY` does, nor
//! when an entry becomes visible. So an entry is found by several of its properties: it is newer
//! than the entries before the COPY, and of this session, this source or this query ID.

use std::time::Duration;

use super::{Redshift, dialect};
use sparkify_warehouse::{SqlFile, Value, Warehouse, WarehouseError};

/// Pauses between polls of the load history, in milliseconds.
const POLL_PAUSES: [u64; 9] = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// State of the load history before a COPY.
pub(super) struct BeforeCopy {
    /// Newest entry.
    last_entry: i64,
    /// Process of this session.
    session: i64,
}

/// Count and query ID of the last COPY, as its own session knows them.
pub(super) struct LastCopy {
    pub rows: Option<u64>,
    id: Option<i64>,
}

/// Entry of one COPY in the load history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyEntry {
    /// Number in SYS views.
    pub query: i64,
    session: i64,
    source: String,
    status: String,
    pub rows: Option<u64>,
    pub objects: Option<u64>,
    pub refused: Option<u64>,
}

impl CopyEntry {
    pub(super) fn is_completed(&self) -> bool {
        self.status == "completed"
    }

    fn parse(row: &[Value]) -> Option<Self> {
        let text = |at: usize| row.get(at).and_then(Value::as_text).unwrap_or_default().to_owned();
        Some(Self {
            query: row.first()?.as_i64()?,
            session: row.get(1)?.as_i64()?,
            source: text(2),
            status: text(3),
            rows: number(row.get(4)),
            objects: number(row.get(5)),
            refused: number(row.get(6)),
        })
    }
}

fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_i64).and_then(|count| u64::try_from(count).ok())
}

/// Returns the entry of the last COPY of `session` from `source` among `entries`, which are newer
/// than it and sorted from the newest; none if it is not visible, or cannot be told from others.
fn choose<'a>(
    entries: &'a [CopyEntry],
    session: i64,
    id: Option<i64>,
    source: &str,
) -> Option<&'a CopyEntry> {
    let mut of_session = entries.iter().filter(|entry| entry.session == session);
    if let Some(entry) = of_session.next() {
        return Some(entry);
    }
    let mut of_source = entries.iter().filter(|entry| entry.source == source);
    let by_id = of_source.clone().find(|entry| Some(entry.query) == id);
    by_id.or_else(|| of_source.next().filter(|_| of_source.next().is_none()))
}

impl Redshift {
    /// Returns the state of the load history, before a COPY.
    pub(super) fn before_copy(&mut self) -> Result<BeforeCopy, WarehouseError> {
        let session = match self.session_id {
            Some(session) => session,
            None => self.integer(&dialect::SESSION_ID)?,
        };
        self.session_id = Some(session);
        Ok(BeforeCopy { last_entry: self.integer(&dialect::LAST_COPY_ENTRY)?, session })
    }

    /// Returns the integer that a query returns; 0 for null.
    fn integer(&mut self, file: &SqlFile) -> Result<i64, WarehouseError> {
        let result = self.query_file(file, &[], 1)?;
        Ok(result.scalar().and_then(Value::as_i64).unwrap_or_default())
    }

    /// Returns what this session knows of its last COPY, at once.
    pub(super) fn last_copy(&mut self) -> Result<LastCopy, WarehouseError> {
        let result = self.query_file(&dialect::COPIED_ROWS, &[], 1)?;
        let row = result.rows.first();
        let value = |at: usize| row.and_then(|row| row.get(at));
        Ok(LastCopy { rows: number(value(0)), id: value(1).and_then(Value::as_i64) })
    }

    /// Returns the entry of the last COPY, which read `source`, if it is visible already.
    pub(super) fn copy_entry(
        &mut self,
        before: &BeforeCopy,
        last: &LastCopy,
        source: &str,
    ) -> Result<Option<CopyEntry>, WarehouseError> {
        let after = [Value::Int(before.last_entry.into())];
        let found = self.query_file(&dialect::COPY_HISTORY, &after, usize::MAX)?;
        let entries: Vec<_> = found.rows.iter().filter_map(|row| CopyEntry::parse(row)).collect();
        Ok(choose(&entries, before.session, last.id, source).cloned())
    }

    /// Polls until there is a result. Returns none if there is none after the last pause.
    pub(super) fn poll<T>(
        &mut self,
        mut query: impl FnMut(&mut Self) -> Result<Option<T>, WarehouseError>,
    ) -> Result<Option<T>, WarehouseError> {
        for pause in POLL_PAUSES {
            if let Some(found) = query(self)? {
                return Ok(Some(found));
            }
            std::thread::sleep(Duration::from_millis(pause));
        }
        query(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(query: i64, session: i64, source: &str) -> CopyEntry {
        let (source, status) = (source.to_owned(), "completed".to_owned());
        CopyEntry { query, session, source, status, rows: None, objects: None, refused: None }
    }

    #[test]
    fn an_entry_is_found_by_session_then_id_then_source() {
        let chosen =
            |entries: &[CopyEntry], id| choose(entries, 7, id, "s3://a/").map(|entry| entry.query);
        assert_eq!(chosen(&[], Some(1)), None);
        // The newest entry of the session, whatever the IDs of others.
        let entries = [entry(4, 8, "s3://a/"), entry(3, 7, "s3://a/"), entry(2, 7, "s3://b/")];
        assert_eq!(chosen(&entries, Some(4)), Some(3));
        // Sessions are named otherwise: the source decides, and the ID between several.
        let entries = [entry(4, 80, "s3://a/"), entry(3, 70, "s3://b/")];
        assert_eq!(chosen(&entries, Some(99)), Some(4));
        let entries = [entry(4, 80, "s3://a/"), entry(3, 70, "s3://a/")];
        assert_eq!(chosen(&entries, Some(3)), Some(3));
        assert_eq!(chosen(&entries, Some(99)), None);
    }
}
