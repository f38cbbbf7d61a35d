//! Direct load: the warehouse copies the objects from S3 itself (Redshift's COPY), and sparkify
//! handles the rest.
//!
//! COPY fills a landing table. The warehouse does not report which row came from which object, so
//! all objects that it copied completely form a group, stored under the number of the first one. If
//! it rejected a record of an object, the object is excluded from the COPY and parsed by sparkify's
//! reader instead. So one parser decides what a valid record is, and every rejected record has its
//! position and bytes. Texts that were encoded twice are repaired in the landing table (`repair`).
//!
//! Without manifests, objects are named by key prefixes that match no other listed key
//! (`source::cover`). A second listing after the COPY detects objects that were added or removed in
//! the meantime.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use thiserror::Error;

use super::{StageError, StageRequest, repair};
use crate::log_format::ChosenFormat;
use crate::sql::direct as sql;
use sparkify_reader::{Meter, ObjectRows, ReadError, RecordKind, Reject, Rejects, Tally};
use sparkify_source::cover::{CoverError, cover};
use sparkify_source::{Listing, Object};
use sparkify_warehouse::{
    Compression, CopyObjects, CopyRequest, KeyMapping, Naming, Opening, RefusedRecord, SqlFile,
    Value, Warehouse, WarehouseError,
};

/// Maximum number of COPY statements for the objects of one load and kind. Each one makes the
/// warehouse list a prefix.
const MAX_COPIES: usize = 200;
/// Maximum number of COPY rounds. Each round but the last excludes the objects with rejected
/// records.
const MAX_ROUNDS: usize = 4;
/// Length of the URLs that the warehouse reports for rejected records, a CHAR(256). Longer ones are
/// truncated.
const REPORTED_URL: usize = 256;

/// Error of a direct load.
#[derive(Debug, Error)]
pub enum DirectError {
    /// No set of prefixes matches only the objects of this load.
    #[error(transparent)]
    Cover(#[from] CoverError),
    /// COPY cannot express the log format.
    #[error("the warehouse cannot copy the log format `{name}` itself")]
    Format {
        /// Name, or path of the file.
        name: &'static str,
    },
    /// COPY can express the log format, but there is no place for its `JSONPaths` file.
    #[error(
        "the warehouse needs a JSONPaths file to copy the log format `{name}`, and no place for it is configured"
    )]
    NoPlace {
        /// Name, or path of the file.
        name: &'static str,
    },
    /// The `JSONPaths` file is not in S3.
    #[error("cannot use the JSONPaths file `{location}`: it is not in S3")]
    Paths {
        /// Path of the file.
        location: String,
    },
    /// Objects were added or removed during the COPY.
    #[error("`{key}` {what} while the warehouse copied other objects")]
    Moved {
        /// Key of the object.
        key: String,
        /// `arrived` or `disappeared`.
        what: &'static str,
    },
    /// The number of objects or rows is not the expected one.
    #[error("the warehouse copied {found} {what}; expected {expected}")]
    Unaccounted {
        /// `objects` or `rows`.
        what: &'static str,
        /// Number that the warehouse reports.
        found: u64,
        /// Expected number.
        expected: u64,
    },
    /// More rows were rejected than copied.
    #[error("{rejected} of {copied} copied rows are rejected")]
    TooManyRejected {
        /// Number of rows in the landing table.
        copied: u64,
        /// Number of rejected rows.
        rejected: u64,
    },
    /// Every COPY rejected records of further objects.
    #[error("each of {MAX_ROUNDS} COPY rounds rejected records of further objects: {reason}")]
    Restless {
        /// Reason of the last rejection.
        reason: String,
    },
}

impl DirectError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Cover(_) => "set a prefix for manifests with `--manifest s3://BUCKET/PREFIX`, or `[S3] MANIFEST` in `dwh.cfg`".into(),
            Self::Format { .. } => "set a prefix for staged files with `--staging s3://BUCKET/PREFIX`, or `[S3] STAGING` in `dwh.cfg`: sparkify then reads the logs".into(),
            Self::NoPlace { .. } => "set a prefix for it with `--manifest s3://BUCKET/PREFIX`, or `[S3] MANIFEST` in `dwh.cfg`".into(),
            Self::Paths { .. } => "put the file into S3, or remove `LOG_JSONPATH`: columns are then matched by key name".into(),
            Self::Moved { .. } => "nothing of this load was published; run it again, or set a prefix for manifests with `--manifest`, so that only listed objects are copied".into(),
            Self::Unaccounted { .. } | Self::TooManyRejected { .. } | Self::Restless { .. } => "nothing of this load was published; run it again when no process writes to the source".into(),
        }
    }
}

/// Steps of a direct load for both kinds of record, named `STEP_KIND`, or `STEP` if they are the
/// same for both.
pub static STEPS: LazyLock<Vec<SqlFile>> =
    LazyLock::new(|| sql::ALL.iter().flat_map(|template| of_each_kind(*template)).collect());

fn of_each_kind(template: SqlFile) -> Vec<SqlFile> {
    if !template.text.contains(":kind") {
        return vec![template];
    }
    let of = |kind: RecordKind| {
        let name = format!("{}_{}", template.name, kind.name()).leak();
        SqlFile { name, ..template.of(kind.ddl()) }
    };
    [RecordKind::Events, RecordKind::Songs].map(of).to_vec()
}

/// Returns the name of the landing table.
fn landing_table(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Events => "landing_events",
        RecordKind::Songs => "landing_songs",
    }
}

/// Objects with their ledger numbers.
type Numbered = Vec<(i64, Object)>;

/// Stages objects by COPY, and parses those that the warehouse cannot copy completely.
pub(super) fn stage(
    warehouse: &mut dyn Warehouse,
    request: &StageRequest<'_>,
    naming: Naming,
    meter: &Arc<Meter>,
) -> Result<Tally, StageError> {
    let kind = request.kind;
    warehouse.run(&sql::CREATE_LANDING.of(kind.ddl()))?;
    let columns = Columns::of(request, naming)?;
    // Empty objects need no COPY. It is not documented whether COPY by prefix counts them.
    let (to_copy, empty): (Numbered, Numbered) =
        request.objects.iter().cloned().partition(|(_, object)| object.size > 0);
    let job = CopyJob { request, naming, columns, empty: empty.len() as u64 };
    let Copied { objects, rows, rejected } = job.copy_all(warehouse, to_copy)?;
    let mut tally = Tally { given_back: rejected.len() as u64, ..Tally::default() };
    let erased = delete_erased(warehouse, request)?;
    move_to_staging(warehouse, request, objects, [rows, erased], &mut tally)?;
    tally.objects.extend(empty.into_iter().map(|(id, object)| object_rows(kind, id, object, None)));
    Meter::advance(&meter.objects, tally.objects.len() as u64);
    Meter::advance(&meter.records, rows);
    Meter::advance(&meter.bytes, tally.objects.iter().map(|rows| rows.object.size).sum());
    warehouse.run(&sql::DROP_LANDING.of(kind.ddl()))?;
    if !rejected.is_empty() {
        let checks_kind = request.is_new_location && rejected.len() == request.objects.len();
        let job = super::ReadJob { few: true, checks_kind, ..super::ReadJob::new(request, meter) };
        tally.merge(super::read(warehouse, rejected, &job)?);
    }
    Ok(tally)
}

/// Columns of the COPY, and the mapping of JSON keys to them.
struct Columns<'a> {
    names: Vec<String>,
    mapping: KeyMapping<'a>,
}

impl<'a> Columns<'a> {
    fn of(request: &'a StageRequest<'a>, naming: Naming) -> Result<Self, StageError> {
        let names = request.kind.keys().iter().map(|key| key.to_lowercase()).collect();
        let ChosenFormat { format, json_paths } = request.log_format;
        let mapping = match (request.kind, json_paths, format) {
            (RecordKind::Events, Some(location), _) if !location.starts_with("s3://") => {
                return Err(DirectError::Paths { location: location.clone() }.into());
            }
            (RecordKind::Events, Some(location), _) => KeyMapping::Paths(location),
            (RecordKind::Events, None, Some(format)) => match (&request.copy_paths, naming) {
                (Some(text), Naming::Manifests) => KeyMapping::Written(text),
                (Some(_), Naming::Prefixes) => {
                    return Err(DirectError::NoPlace { name: format.name }.into());
                }
                (None, _) => return Err(DirectError::Format { name: format.name }.into()),
            },
            (RecordKind::Events, None, None) => KeyMapping::IgnoreCase,
            (RecordKind::Songs, ..) => KeyMapping::Exact,
        };
        Ok(Self { names, mapping })
    }
}

/// COPY of the objects of one load and kind.
struct CopyJob<'a> {
    request: &'a StageRequest<'a>,
    naming: Naming,
    columns: Columns<'a>,
    /// Number of empty objects, which a COPY by prefix may count.
    empty: u64,
}

/// Result of a COPY.
#[derive(Default)]
struct Copied {
    /// Objects whose records are all in the landing table.
    objects: Numbered,
    /// Number of rows in the landing table.
    rows: u64,
    /// Objects with rejected records, none of which is in the landing table.
    rejected: Numbered,
}

impl CopyJob<'_> {
    /// Copies all objects that the warehouse can copy completely.
    ///
    /// After a COPY that rejected records, the landing table is emptied and the remaining objects
    /// are copied again, because the rows of the rejected objects cannot be distinguished from the
    /// others.
    fn copy_all(
        &self,
        warehouse: &mut dyn Warehouse,
        objects: Numbered,
    ) -> Result<Copied, StageError> {
        let mut copied = Copied { objects, ..Copied::default() };
        let (mut reason, mut searched) = (String::new(), false);
        for _ in 0..MAX_ROUNDS {
            let mut rejections = self.copy(warehouse, &mut copied)?;
            // Parsing all objects is expensive, so it happens once.
            if rejections.is_empty() && !std::mem::replace(&mut searched, true) {
                rejections = self.find_invalid(warehouse, &copied.objects)?;
            }
            let Some(first) = rejections.first() else { return Ok(copied) };
            reason = format!("`{}`: {}", first.object, first.reason);
            let (rejected, rest) =
                split_rejected(std::mem::take(&mut copied.objects), &rejections)?;
            tracing::info!(
                "sparkify reads {} objects that the warehouse cannot copy completely; the first: {reason}",
                rejected.len()
            );
            copied.objects = rest;
            copied.rejected.extend(rejected);
            warehouse.run(&sql::CLEAR_LANDING.of(self.request.kind.ddl()))?;
        }
        Err(DirectError::Restless { reason }.into())
    }

    /// Returns the objects with invalid records, if the landing table has invalid rows. COPY
    /// accepted them, so only the reader can find their objects.
    fn find_invalid(
        &self,
        warehouse: &mut dyn Warehouse,
        objects: &[(i64, Object)],
    ) -> Result<Vec<RefusedRecord>, StageError> {
        let invalid =
            warehouse.query_file(&sql::INVALID_ROWS.of(self.request.kind.ddl()), &[], 0)?;
        if invalid.total == 0 {
            return Ok(Vec::new());
        }
        tracing::info!("{} copied rows are invalid; searching their objects", invalid.total);
        let format = self.request.log_format.format;
        let found = super::find_rejecting(self.request.kind, format, objects.to_vec())?;
        let reason = "it has an invalid record";
        Ok(found
            .into_iter()
            .map(|object| RefusedRecord { object, reason: reason.into() })
            .collect())
    }

    /// Copies the objects of `copied` into the landing table, counts the rows and returns the
    /// rejected records.
    fn copy(
        &self,
        warehouse: &mut dyn Warehouse,
        copied: &mut Copied,
    ) -> Result<Vec<RefusedRecord>, StageError> {
        let (mut rejections, mut prefixes) = (Vec::new(), Vec::new());
        copied.rows = 0;
        for (compression, group) in group_alike(&copied.objects) {
            let most = MAX_COPIES.saturating_sub(prefixes.len());
            let region = group.first().and_then(|object| object.region()).unwrap_or_default();
            let list: Vec<_> = group.iter().map(|object| (&*object.key, object.size)).collect();
            for part in self.parts(&group, most).map_err(DirectError::Cover)? {
                let request = CopyRequest {
                    table: landing_table(self.request.kind),
                    columns: &self.columns.names,
                    mapping: self.columns.mapping,
                    objects: part
                        .prefix
                        .as_deref()
                        .map_or(CopyObjects::List(&list), CopyObjects::Prefix),
                    compression,
                    region: &region,
                };
                let result = match warehouse.remote_copy() {
                    Some(remote) => remote.copy(&request)?,
                    None => return Err(WarehouseError::NoStaging.into()),
                };
                copied.rows += result.rows;
                rejections.extend(result.refused);
                let most = part.objects + part.prefix.as_ref().map_or(0, |_| self.empty);
                prefixes.extend(part.prefix);
                check_count("objects", result.objects, part.objects, most)?;
            }
        }
        if !prefixes.is_empty() {
            self.check_listing(&prefixes)?;
        }
        let rows = landed_rows(warehouse, self.request.kind)?;
        check_count("rows", rows, copied.rows, copied.rows)?;
        Ok(rejections)
    }

    /// Splits objects into the smallest number of COPY statements, at most `most`.
    fn parts(&self, group: &[&Object], most: usize) -> Result<Vec<Part>, CoverError> {
        let everything = Part { prefix: None, objects: group.len() as u64 };
        if self.naming == Naming::Manifests {
            return Ok(vec![everything]);
        }
        let inside = |key: &str| {
            self.request.listing.is_some_and(|listing| {
                key.strip_prefix(&listing.root).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let keys = group.iter().map(|object| &*object.key);
        // An object outside the listing has unknown neighbours, so it gets a COPY with its whole
        // key.
        let (inside, outside): (Vec<&str>, Vec<&str>) = keys.partition(|key| inside(key));
        let wanted: BTreeSet<&str> = inside.iter().copied().collect();
        let listing = self.request.listing.into_iter();
        let others = listing.flat_map(|listing| {
            let objects = listing.objects.iter().filter(|object| object.size > 0);
            let objects = objects.map(|object| &*object.key);
            objects.chain(listing.ignored.iter().map(String::as_str))
        });
        let others: Vec<&str> = others.filter(|key| !wanted.contains(key)).collect();
        let left = most.saturating_sub(outside.len());
        let by_prefix = cover(&inside, &others, left)?.into_iter().map(|prefix| Part {
            prefix: Some(prefix.text.to_owned()),
            objects: prefix.objects as u64,
        });
        let by_key = outside.iter().map(|key| Part { prefix: Some((*key).to_owned()), objects: 1 });
        if outside.len() > most {
            return Err(CoverError::TooMany { needed: outside.len(), most });
        }
        Ok(by_prefix.chain(by_key).collect())
    }

    /// Lists again and checks that the same objects match the prefixes as before the COPY.
    fn check_listing(&self, prefixes: &[String]) -> Result<(), StageError> {
        let Some(before) = self.request.listing else { return Ok(()) };
        let now = self.request.sources.list(&before.root).map_err(ReadError::from)?;
        let matches = |key: &str| {
            prefixes
                .iter()
                .any(|prefix| key.starts_with(prefix.as_str()) || prefix.starts_with(key))
        };
        let (before, now) = (names(before), names(&now));
        let moved = |key: &&str, what| {
            let key = (*key).to_owned();
            Err(DirectError::Moved { key, what }.into())
        };
        if let Some(key) = now.difference(&before).find(|key| matches(key)) {
            return moved(key, "arrived");
        }
        match before.difference(&now).find(|key| matches(key)) {
            Some(key) => moved(key, "disappeared"),
            None => Ok(()),
        }
    }
}

/// Objects of one COPY statement.
struct Part {
    /// Key prefix; none for a manifest.
    prefix: Option<String>,
    /// Number of objects.
    objects: u64,
}

/// Returns the keys of a listing, including ignored ones.
fn names(listing: &Listing) -> BTreeSet<&str> {
    let objects = listing.objects.iter().map(|object| &*object.key);
    objects.chain(listing.ignored.iter().map(String::as_str)).collect()
}

/// Groups objects that one COPY can read: same bucket and, by their names, same compression.
fn group_alike(objects: &[(i64, Object)]) -> Vec<(Compression, Vec<&Object>)> {
    let mut groups: BTreeMap<(u8, &str), Vec<&Object>> = BTreeMap::new();
    for (_, object) in objects {
        let bucket = object.key.split('/').nth(2).unwrap_or_default();
        let compression = match object.key.rsplit_once('.') {
            Some((_, "gz")) => 1,
            Some((_, "zst")) => 2,
            _ => 0,
        };
        groups.entry((compression, bucket)).or_default().push(object);
    }
    let compressions = [Compression::Plain, Compression::Gzip, Compression::Zstandard];
    let group = |((compression, _), group)| (compressions[usize::from(compression)], group);
    groups.into_iter().map(group).collect()
}

/// Checks that a count is within `expected` and `most`.
fn check_count(
    what: &'static str,
    found: u64,
    expected: u64,
    most: u64,
) -> Result<(), DirectError> {
    if (expected..=most).contains(&found) {
        return Ok(());
    }
    Err(DirectError::Unaccounted { what, found, expected })
}

/// Splits objects into those with rejected records and the others.
fn split_rejected(
    objects: Numbered,
    rejections: &[RefusedRecord],
) -> Result<(Numbered, Numbered), DirectError> {
    let urls: BTreeSet<&str> = rejections.iter().map(|record| record.object.as_str()).collect();
    // A URL of about the maximum length may be truncated, so it is compared as a prefix. The margin
    // of 4 bytes allows for a cut in front of a multi-byte character.
    let truncated: Vec<&str> =
        urls.iter().filter(|url| url.len() >= REPORTED_URL - 4).copied().collect();
    let is_rejected =
        |key: &str| urls.contains(key) || truncated.iter().any(|url| key.starts_with(url));
    let keys: BTreeSet<&str> = objects.iter().map(|(_, object)| &*object.key).collect();
    let is_known = |url: &str| keys.range(url..).next().is_some_and(|key| key.starts_with(url));
    if let Some(unknown) = urls.iter().find(|url| !is_known(url)) {
        return Err(DirectError::Moved { key: (*unknown).to_owned(), what: "arrived" });
    }
    Ok(objects.into_iter().partition(|(_, object)| is_rejected(&object.key)))
}

fn object_rows(kind: RecordKind, object_id: i64, object: Object, group: Option<i64>) -> ObjectRows {
    // The decompressed size is unknown.
    let bytes = object.size;
    ObjectRows { object_id, object, kind, bytes, group, ..ObjectRows::default() }
}

/// Deletes the landed records of erased persons, and returns their number.
fn delete_erased(
    warehouse: &mut dyn Warehouse,
    request: &StageRequest<'_>,
) -> Result<u64, WarehouseError> {
    let Some(erasures) = request.erasures.as_ref().filter(|_| request.kind == RecordKind::Events)
    else {
        return Ok(0);
    };
    let [users, delete] =
        [sql::LANDED_USERS, sql::DELETE_USER].map(|file| file.of(request.kind.ddl()));
    let before = landed_rows(warehouse, request.kind)?;
    let users = warehouse.query_file(&users, &[], usize::MAX)?.rows;
    let delete = delete.statement(Opening::full(warehouse.engine()));
    for user_id in users.iter().filter_map(|row| row[0].as_i64()) {
        if erasures.has_user(user_id) {
            warehouse.query(&delete, &[Value::Int(user_id.into())], 0)?;
        }
    }
    Ok(before - landed_rows(warehouse, request.kind)?)
}

fn landed_rows(warehouse: &mut dyn Warehouse, kind: RecordKind) -> Result<u64, WarehouseError> {
    let rows = warehouse.query_file(&sql::COUNT_LANDING.of(kind.ddl()), &[], 1)?;
    let rows = rows.scalar().and_then(Value::as_i64);
    Ok(rows.and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default())
}

/// Moves `copied` rows of the landing table to staging, or to the rejected records.
fn move_to_staging(
    warehouse: &mut dyn Warehouse,
    request: &StageRequest<'_>,
    objects: Numbered,
    [copied, erased]: [u64; 2],
    tally: &mut Tally,
) -> Result<(), StageError> {
    let (kind, load_id) = (request.kind, request.load_id);
    let Some((first, key)) =
        objects.iter().map(|(id, object)| (*id, object.key.clone())).min_by_key(|(id, _)| *id)
    else {
        return Ok(());
    };
    tally.repairs = repair::repair(warehouse, kind)?;
    let (rejects, rejected_bytes) = reject_invalid(warehouse, kind, first, &key)?;
    let rejected = rejects.count;
    let staged = staged_rows(copied.saturating_sub(erased), rejected)?;
    let rejects = super::reject_rows(rejects, load_id, tally)?;
    super::insert_rejects(warehouse, rejects.as_ref())?;
    let insert = sql::INSERT_STAGING.of(kind.ddl()).statement(Opening::full(warehouse.engine()));
    let numbers = [Value::Int(load_id.into()), Value::Int(first.into())];
    warehouse.query(&insert, &numbers, 0)?;
    for (id, object) in objects {
        let mut rows = object_rows(kind, id, object, Some(first));
        if id == first {
            (rows.staged, rows.rejected, rows.erased) = (staged, rejected, erased);
            rows.rejected_bytes = rejected_bytes;
        }
        tally.objects.push(rows);
    }
    Ok(())
}

/// Returns the number of rows that enter staging.
fn staged_rows(copied: u64, rejected: u64) -> Result<u64, DirectError> {
    copied.checked_sub(rejected).ok_or(DirectError::TooManyRejected { copied, rejected })
}

/// Returns the invalid rows of the landing table as rejected records, with their total length.
///
/// Objects with records that sparkify's reader rejects were excluded before, so these are records
/// that COPY parsed differently. Their bytes are unknown; a JSON object of their values is kept
/// instead.
fn reject_invalid(
    warehouse: &mut dyn Warehouse,
    kind: RecordKind,
    first: i64,
    key: &str,
) -> Result<(Rejects, u64), StageError> {
    let (mut rejects, mut bytes) = (Rejects::new(), 0);
    for row in warehouse.query_file(&sql::INVALID_ROWS.of(kind.ddl()), &[], usize::MAX)?.rows {
        let Some((running, values)) = row.split_first() else { continue };
        let missing = kind.needed().find(|index| values.get(*index) == Some(&Value::Null));
        let what = missing.map_or("a number is not whole or out of range".to_owned(), |index| {
            format!("{} is missing", kind.keys()[index])
        });
        let record = Record(kind.keys().iter().copied().zip(values).collect());
        let raw = serde_json::to_vec(&record).unwrap_or_default();
        bytes += raw.len() as u64;
        rejects
            .push(&Reject {
                object_id: first,
                object_key: key,
                offset: running.as_i64().and_then(|at| u64::try_from(at).ok()).unwrap_or_default(),
                length: raw.len() as u64,
                reason: &format!(
                    "{what}, in one of the objects that the warehouse copied together"
                ),
                raw: &raw,
            })
            .map_err(ReadError::Spool)?;
    }
    Ok((rejects, bytes))
}

/// Row of the landing table, serialized as a JSON object with the keys of a record.
struct Record<'a>(Vec<(&'static str, &'a Value)>);

impl serde::Serialize for Record<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rejected_than_copied_rows_are_an_error() {
        assert_eq!(staged_rows(5, 2).unwrap(), 3);
        assert_eq!(staged_rows(2, 2).unwrap(), 0);
        let error = staged_rows(2, 3).unwrap_err();
        assert_eq!(error.to_string(), "3 of 2 copied rows are rejected");
    }

    /// The steps of a direct load follow from one line in the staging table's file.
    #[test]
    fn a_key_is_added_in_one_line() {
        let line =
            "    user_mood label, -- $.userMood required: as chosen by the user\n    song text,";
        let ddl = RecordKind::Events.ddl();
        let text = ddl.text.replacen("    song text,", line, 1).leak();
        let file: &'static SqlFile = Box::leak(Box::new(SqlFile { text, ..*ddl }));
        for (step, parts) in [
            (sql::CREATE_LANDING, &["    usermood varchar encode zstd,\n"][..]),
            (sql::INVALID_ROWS, &["    usermood,\n", "    or usermood is null\n"]),
            (
                sql::INSERT_STAGING,
                &["    user_mood,\n", "    usermood,\n", "    and usermood is not null\n"],
            ),
            (sql::REPAIR_CANDIDATES, &["select usermood || '|' as candidate\n"]),
            (sql::COUNT_REPAIRS, &["select 9 as place", "(landing_events.usermood || chr(1))"]),
            (sql::REPAIR, &["set usermood = landing_repairs.meant\n"]),
        ] {
            let text = step.of(file).opened(Opening::full("redshift"));
            for part in parts {
                assert!(text.contains(part), "{} lacks {part}: {text}", step.name);
            }
        }
    }
}
