//! Erasure of a person (GDPR, article 17): staged events, facts, dimensions, and the bytes of
//! rejected records that name the person.
//!
//! One erasure is one transaction. The model is rebuilt for the affected keys, as after a load, and
//! tested. A keyed hash remains, so that later loads of the same objects leave the person out
//! ([`read`]). Deleted rows are still in the free space of the storage afterwards, until
//! [`Warehouse::compact`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use thiserror::Error;

use crate::data_tests::{self, TestResult};
use crate::rejects::{self, RejectId};
use crate::{model, pipeline, scope, sql};
use sparkify_reader::{ErasureKey, Erasures, Meter};
use sparkify_warehouse::{ColumnType, Opening, RowList, SqlFile, Value, Warehouse, WarehouseError};

/// Rows about a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Staged events.
    pub events: u64,
    /// Plays in `songplays`.
    pub plays: u64,
    /// Rows of `users`.
    pub users: u64,
    /// Rows of `user_levels`.
    pub levels: u64,
    /// Rejected records that name the person.
    pub rejects: u64,
    /// Messages of loads that name the person.
    pub messages: u64,
}

impl Found {
    /// Returns true if nothing was found.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Receipt of an erasure. It does not name the person.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// Keyed hash of the user's ID.
    pub user_hash: String,
    /// Identifier of the erasure key.
    pub key_id: String,
    /// Time of the erasure in UTC, as RFC 3339 defines it.
    pub erased_at: String,
    /// Rows that were deleted, or emptied.
    pub erased: Found,
}

/// Failure of an erasure; nothing was changed.
#[derive(Debug, Error)]
pub enum EraseError {
    /// The warehouse has erasures under another key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// Data tests failed on the remaining rows.
    #[error("data tests failed: {}", failed.len())]
    ChecksFailed {
        /// Results of the failed tests.
        failed: Vec<TestResult>,
    },
}

impl EraseError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Key(_) => Some(KEY_HINT.into()),
            Self::Warehouse(error) => error.hint(),
            Self::ChecksFailed { .. } => Some(
                "nothing was erased; run `sparkify check`, and report a bug if it passes".into(),
            ),
        }
    }
}

/// The erasure key does not fit the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Persons were erased, and no key is configured.
    #[error("persons were erased from this warehouse, and no erasure key is configured")]
    Missing,
    /// Persons were erased under another key.
    #[error("persons were erased from this warehouse under another erasure key")]
    Wrong,
}

/// Next action after a [`KeyError`].
pub const KEY_HINT: &str = "set SPARKIFY_ERASURE_KEY, or ERASURE_KEY in [WAREHOUSE] of dwh.cfg, to the key of the erasures: without it, a load would bring the persons back";

/// Reads the hashes of erased persons; none if there are none.
///
/// # Errors
/// If the query fails, or the key is not that of the hashes.
pub fn read(
    warehouse: &mut dyn Warehouse,
    key: Option<&ErasureKey>,
) -> Result<Option<Arc<Erasures>>, EraseError> {
    let hashes = hashes(warehouse, key)?;
    let Some(key) = key.filter(|_| !hashes.is_empty()) else { return Ok(None) };
    Ok(Some(Arc::new(Erasures::new(key.clone(), hashes))))
}

fn hashes(
    warehouse: &mut dyn Warehouse,
    key: Option<&ErasureKey>,
) -> Result<BTreeSet<String>, EraseError> {
    let rows = warehouse.query_file(&sql::erase::HASHES, &[], usize::MAX)?.rows;
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let id = key.ok_or(KeyError::Missing)?.id();
    let text = |value: &Value| value.as_text().unwrap_or_default().to_owned();
    if rows.iter().any(|row| text(&row[1]) != id) {
        return Err(KeyError::Wrong.into());
    }
    Ok(rows.iter().map(|row| text(&row[0])).collect())
}

/// Person to erase.
struct Person<'a> {
    user_id: i64,
    key: &'a ErasureKey,
    names: Vec<(String, String)>,
    /// Hashes of the ID and the names.
    erasures: Erasures,
}

impl<'a> Person<'a> {
    fn read(
        warehouse: &mut dyn Warehouse,
        user_id: i64,
        key: &'a ErasureKey,
    ) -> Result<Self, WarehouseError> {
        let rows = warehouse.query_file(&sql::erase::NAMES, &[id(user_id)], usize::MAX)?.rows;
        let names = rows.iter().map(|row| (row[0].to_string(), row[1].to_string()));
        let names: Vec<_> = names.collect();
        let hashes = names.iter().map(|(first, last)| key.name(first, last));
        let hashes = hashes.chain([key.user(user_id)]).collect();
        Ok(Self { user_id, key, names, erasures: Erasures::new(key.clone(), hashes) })
    }

    /// Returns true if the bytes name the person.
    fn is_named_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let has = |name: &String| text.contains(&format!("\"{name}\""));
        self.erasures.has_reject(bytes)
            || self.names.iter().any(|(first, last)| has(first) && has(last))
    }

    /// Returns the rejected records that name the person, with the hashes of their bytes.
    fn rejects(
        &self,
        warehouse: &mut dyn Warehouse,
    ) -> Result<Vec<(RejectId, String)>, WarehouseError> {
        let mut found = Vec::new();
        rejects::for_each(warehouse, &mut |reject| {
            if self.is_named_in(&reject.raw.0) {
                found.push((reject.id, self.key.record(&reject.raw.0)));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns the loads whose messages name the person.
    fn messages(&self, warehouse: &mut dyn Warehouse) -> Result<Vec<Value>, WarehouseError> {
        let rows = warehouse.query_file(&sql::erase::MESSAGES, &[], usize::MAX)?.rows;
        let named = rows.into_iter().filter(|row| {
            let text = row[1].to_string();
            self.is_named_in(text.as_bytes())
                || self.names.iter().any(|(first, last)| text.contains(&format!("{first} {last}")))
        });
        Ok(named.filter_map(|row| row.into_iter().next()).collect())
    }

    fn count(&self, warehouse: &mut dyn Warehouse) -> Result<Found, WarehouseError> {
        let counts = warehouse.query_file(&sql::erase::COUNTS, &[id(self.user_id)], 1)?.rows;
        let count = |at: usize| {
            let value = counts.first().and_then(|row| row.get(at)).and_then(Value::as_i64);
            value.and_then(|count| u64::try_from(count).ok()).unwrap_or_default()
        };
        let [events, plays, users, levels] = [0, 1, 2, 3].map(count);
        Ok(Found { events, plays, users, levels, ..Found::default() })
    }
}

fn id(user_id: i64) -> Value {
    Value::Int(user_id.into())
}

/// Counts the rows about a user, and changes nothing.
///
/// # Errors
/// If a query fails.
pub fn plan(warehouse: &mut dyn Warehouse, user_id: i64) -> Result<Found, WarehouseError> {
    // Any key: its hashes are compared with hashes of the same key only.
    let key = ErasureKey::new("");
    let person = Person::read(warehouse, user_id, &key)?;
    let rejects = person.rejects(warehouse)?.len() as u64;
    let messages = person.messages(warehouse)?.len() as u64;
    Ok(Found { rejects, messages, ..person.count(warehouse)? })
}

/// Erases a user in one transaction.
///
/// # Errors
/// Nothing is erased then.
pub fn erase(
    warehouse: &mut dyn Warehouse,
    user_id: i64,
    key: &ErasureKey,
    meter: &Meter,
) -> Result<Receipt, EraseError> {
    pipeline::change(warehouse, meter, |warehouse| {
        let known = hashes(warehouse, Some(key))?;
        let person = Person::read(warehouse, user_id, key)?;
        let found = person.count(warehouse)?;
        meter.enter("search rejected records");
        let rejects = person.rejects(warehouse)?;
        let messages = person.messages(warehouse)?;
        meter.enter("erase");
        delete_rows(warehouse, user_id)?;
        for (reject, _) in &rejects {
            let row = [id(reject.object_id), id(reject.position), Value::Bytes(Vec::new())];
            run(warehouse, &sql::erase::REJECT, &row)?;
        }
        for load in &messages {
            run(warehouse, &sql::erase::MESSAGE, std::slice::from_ref(load))?;
        }
        let erased_at = SystemTime::now();
        record(warehouse, &person, &rejects, &known, erased_at)?;
        let (rejects, messages) = (rejects.len() as u64, messages.len() as u64);
        let now = time::OffsetDateTime::from(erased_at);
        Ok(Receipt {
            user_hash: key.user(user_id),
            key_id: key.id(),
            erased_at: now
                .format(&time::format_description::well_known::Rfc3339)
                .unwrap_or_default(),
            erased: Found { rejects, messages, ..found },
        })
    })
}

/// Deletes the staged rows, rebuilds the affected part of the model and tests it.
fn delete_rows(warehouse: &mut dyn Warehouse, user_id: i64) -> Result<(), EraseError> {
    warehouse.run(&sql::load::PREPARE)?;
    for step in [&sql::erase::AFFECTED_KEYS, &sql::erase::AFFECTED_OBJECTS] {
        run(warehouse, step, &[id(user_id)])?;
    }
    let loads = scope::TouchedLoads::read(warehouse, None)?;
    for step in [&sql::erase::UPDATE_OBJECTS, &sql::erase::DELETE_ROWS] {
        run(warehouse, step, &[id(user_id)])?;
    }
    let scope = scope::find(warehouse, loads.into_bounds())?;
    for table in model::TABLES {
        model::build(warehouse, table, Some(&scope))?;
    }
    let failed = data_tests::failed(warehouse, Some(&scope))?;
    if !failed.is_empty() {
        return Err(EraseError::ChecksFailed { failed });
    }
    warehouse.run(&sql::load::DROP_SCOPE)?;
    Ok(warehouse.run(&sql::load::FINISH)?)
}

/// Runs a file that is one statement, with parameters.
fn run(
    warehouse: &mut dyn Warehouse,
    file: &SqlFile,
    parameters: &[Value],
) -> Result<(), WarehouseError> {
    let statement = file.statement(Opening::full(warehouse.engine()));
    warehouse.query(&statement, parameters, 0).map(drop)
}

/// Inserts the hashes that `known` does not have into `etl_erasures`.
fn record(
    warehouse: &mut dyn Warehouse,
    person: &Person<'_>,
    rejects: &[(RejectId, String)],
    known: &BTreeSet<String>,
    erased_at: SystemTime,
) -> Result<(), WarehouseError> {
    const TYPES: &[ColumnType] = &[
        ColumnType::Text,
        ColumnType::Text,
        ColumnType::Text,
        ColumnType::Timestamp,
        ColumnType::Text,
    ];
    let key = person.key;
    let user = [("user", key.user(person.user_id))];
    let names = person.names.iter().map(|(first, last)| ("name", key.name(first, last)));
    let records = rejects.iter().map(|(_, hash)| ("record", hash.clone()));
    let mut seen = known.clone();
    let hashes = user.into_iter().chain(names).chain(records);
    let hashes: Vec<_> = hashes.filter(|(_, hash)| seen.insert(hash.clone())).collect();
    let micros = erased_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let (micros, key_id) = (i64::try_from(micros).unwrap_or(i64::MAX), key.id());
    let rows = RowList::new(TYPES, hashes, move |(kind, hash), batch| {
        for (column, text) in [(0, hash.as_str()), (1, *kind), (2, &key_id)] {
            batch.columns[column].push_bytes(text.as_bytes());
        }
        batch.columns[3].push_int(micros);
        batch.columns[4].push_bytes(env!("CARGO_PKG_VERSION").as_bytes());
    });
    warehouse.load(sql::ledger::ETL_ERASURES.name, Arc::new(rows)).map(drop)
}
