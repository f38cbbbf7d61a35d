//! The other way into staging: the warehouse fetches the objects itself, and this program looks after what it cannot.
//!
//! Rows land in tables of their own first. Which objects they came from the warehouse does not say, so all objects that it took whole are a group,
//! under the number of the first. An object of which it refused anything is taken back and read here instead: so what a record is, and what a reject, is
//! decided by one reader, and every reject has its place and its bytes. Texts that had been encoded twice are set right (`mend`).
//!
//! Where objects are named by how they begin, the names of this load's are told from all others that are listed (`source::cover`); what arrives meanwhile
//! is noticed by listing once more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use thiserror::Error;

use super::{Order, StageError, json_paths, repair};
use crate::sql::direct as sql;
use sparkify_reader::{Meter, ObjectRows, ReadError, Reader, RecordKind, Reject, Rejects, Tally};
use sparkify_source::cover::{CoverError, cover};
use sparkify_source::{Listing, Object};
use sparkify_warehouse::{
    Compression, CopyOrder, KeyMapping, Named, Naming, Opening, RefusedRecord, SqlFile, Value,
    Warehouse, WarehouseError,
};

/// So many orders are sent for the objects of one load and kind, at most: each is a statement, and reads a listing.
const MOST_ORDERS: usize = 200;
/// How often objects are taken back before the rest is fetched once more.
const TRIES: usize = 4;
/// An engine may know the first bytes of a URL alone: those of a CHAR(256).
const KNOWN: usize = 256;

/// Why objects could not be fetched by the warehouse.
#[derive(Debug, Error)]
pub enum DirectError {
    /// Their names cannot be told from others.
    #[error(transparent)]
    Cover(#[from] CoverError),
    /// The `JSONPaths` file is not for these records.
    #[error("cannot use the JSONPaths file `{location}`: {reason}")]
    Paths {
        /// Where it lies.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Others put or removed objects meanwhile.
    #[error("`{key}` {what} while the warehouse fetched the objects beside it")]
    Moved {
        /// The object.
        key: String,
        /// What happened to it.
        what: &'static str,
    },
    /// The counts do not add up.
    #[error("the warehouse fetched {found} {what}, and {expected} were expected")]
    Unaccounted {
        /// objects or rows
        what: &'static str,
        /// How many it says.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// More landed rows are rejected than landed.
    #[error("the warehouse fetched {landed} rows, and {rejected} of them are rejected")]
    TooManyRejects {
        /// Rows that landed.
        landed: u64,
        /// Rows that were taken for rejects.
        rejected: u64,
    },
    /// Each time it refused other objects.
    #[error("the warehouse refused records of other objects each time: {reason}")]
    Restless {
        /// The last reason.
        reason: String,
    },
}

impl DirectError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Cover(_) => "name a place for lists of objects, `--manifest s3://BUCKET/PREFIX`, or `[S3] MANIFEST` in `dwh.cfg`".into(),
            Self::Paths { .. } => "mend it, or leave `LOG_JSONPATH` out: values are then found by the names of keys".into(),
            Self::Moved { .. } => "nothing of this load was published; run it again, or name a place for lists of objects with `--manifest`, which tell them apart".into(),
            Self::Unaccounted { .. } | Self::TooManyRejects { .. } | Self::Restless { .. } => "nothing of this load was published; run it again when the source is at rest".into(),
        }
    }
}

/// Steps of a direct load for both kinds of record, named `STEP_KIND`, or `STEP` if they are the same for both.
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

/// Where rows of one kind land.
fn landing(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Events => "landing_events",
        RecordKind::Songs => "landing_songs",
    }
}

type Numbered = Vec<(i64, Object)>;

/// Has the warehouse fetch the objects of `order`, and reads those that it does not take whole.
pub(super) fn stage(
    warehouse: &mut dyn Warehouse,
    order: &Order<'_>,
    naming: Naming,
    meter: &Arc<Meter>,
) -> Result<Tally, StageError> {
    let kind = order.kind;
    warehouse.run(&sql::CREATE_LANDING.of(kind.ddl()))?;
    let columns = Columns::of(order)?;
    // What holds nothing needs nobody; whether it is counted is not said.
    let (wanted, empty): (Numbered, Numbered) =
        order.objects.iter().cloned().partition(|(_, object)| object.size > 0);
    let fetching = Fetching { order, naming, columns, empty: empty.len() as u64 };
    let landed = fetching.settle(warehouse, wanted)?;
    let (fetched, rows, ours) = (landed.objects, landed.rows, landed.refused);
    let mut tally = Tally { given_back: ours.len() as u64, ..Tally::default() };
    take(warehouse, order, fetched, rows, &mut tally)?;
    tally.objects.extend(empty.into_iter().map(|(id, object)| rows_of(kind, id, object, None)));
    Meter::advance(&meter.objects, tally.objects.len() as u64);
    Meter::advance(&meter.records, rows);
    Meter::advance(&meter.bytes, tally.objects.iter().map(|rows| rows.object.size).sum());
    warehouse.run(&sql::DROP_LANDING)?;
    let load_id = order.load_id;
    if !ours.is_empty() {
        let reader = Reader::new(kind, load_id, ours, Arc::clone(meter)).expecting_few();
        tally.merge(super::read(warehouse, kind, load_id, reader)?);
    }
    Ok(tally)
}

/// How values find their columns.
struct Columns<'a> {
    names: Vec<String>,
    mapping: KeyMapping<'a>,
}

impl<'a> Columns<'a> {
    fn of(order: &Order<'a>) -> Result<Self, StageError> {
        let keys = order.kind.keys();
        let named = |places: Vec<usize>| {
            places.into_iter().map(|place| keys[place].to_lowercase()).collect()
        };
        let all = (0..keys.len()).collect();
        Ok(match (order.kind, order.log_paths) {
            (RecordKind::Events, Some(location)) if !location.starts_with("s3://") => {
                let (location, reason) = (location.to_owned(), "it does not lie in S3".to_owned());
                return Err(DirectError::Paths { location, reason }.into());
            }
            (RecordKind::Events, Some(location)) => {
                let places = json_paths::places(order.sources, location, order.kind)?;
                Self { names: named(places), mapping: KeyMapping::Paths(location) }
            }
            (RecordKind::Events, None) => {
                Self { names: named(all), mapping: KeyMapping::IgnoreCase }
            }
            (RecordKind::Songs, _) => Self { names: named(all), mapping: KeyMapping::Exact },
        })
    }
}

/// Objects of one load and kind on their way.
struct Fetching<'a> {
    order: &'a Order<'a>,
    naming: Naming,
    columns: Columns<'a>,
    /// How many objects hold nothing.
    empty: u64,
}

/// What has landed.
#[derive(Default)]
struct Landed {
    /// Of these objects, whole.
    objects: Numbered,
    /// So many rows.
    rows: u64,
    /// Objects of which anything was refused.
    refused: Numbered,
}

impl Fetching<'_> {
    /// Has everything fetched that the warehouse takes whole.
    fn settle(
        &self,
        warehouse: &mut dyn Warehouse,
        wanted: Numbered,
    ) -> Result<Landed, StageError> {
        let mut landed = Landed { objects: wanted, ..Landed::default() };
        let (mut reason, mut searched) = (String::new(), false);
        for _ in 0..TRIES {
            let mut refused = self.fetch(warehouse, &mut landed)?;
            if refused.is_empty() && !std::mem::replace(&mut searched, true) {
                refused = self.search(warehouse, &landed.objects)?;
            }
            let Some(first) = refused.first() else { return Ok(landed) };
            reason = format!("`{}`: {}", first.object, first.reason);
            let (back, rest) = apart(std::mem::take(&mut landed.objects), &refused)?;
            tracing::info!(
                "{} objects are read here, since not all in them is a row; the first: {reason}",
                back.len()
            );
            landed.objects = rest;
            landed.refused.extend(back);
            warehouse.run(&sql::CLEAR_LANDING.of(self.order.kind.ddl()))?;
        }
        Err(DirectError::Restless { reason }.into())
    }

    /// Where rows landed that are no records by rule, the objects that hold such: nobody but a reader knows.
    fn search(
        &self,
        warehouse: &mut dyn Warehouse,
        objects: &[(i64, Object)],
    ) -> Result<Vec<RefusedRecord>, StageError> {
        let misfits = warehouse.query_file(&sql::INVALID_ROWS.of(self.order.kind.ddl()), &[], 0)?;
        if misfits.total == 0 {
            return Ok(Vec::new());
        }
        tracing::info!(
            "{} rows that landed are no records by rule: their objects are looked for",
            misfits.total
        );
        let found = super::rejecting(self.order.kind, objects.to_vec())?;
        let reason = "it holds what is no record by rule";
        Ok(found
            .into_iter()
            .map(|object| RefusedRecord { object, reason: reason.into() })
            .collect())
    }

    /// Has the objects fetched that are left; what was refused of them.
    fn fetch(
        &self,
        warehouse: &mut dyn Warehouse,
        landed: &mut Landed,
    ) -> Result<Vec<RefusedRecord>, StageError> {
        let (mut refused, mut prefixes) = (Vec::new(), Vec::new());
        landed.rows = 0;
        for (compression, group) in alike(&landed.objects) {
            let most = MOST_ORDERS.saturating_sub(prefixes.len());
            let region = group.first().and_then(|object| object.region()).unwrap_or_default();
            let list: Vec<_> = group.iter().map(|object| (&*object.key, object.size)).collect();
            for part in self.parts(&group, most).map_err(DirectError::Cover)? {
                let order = CopyOrder {
                    table: landing(self.order.kind),
                    columns: &self.columns.names,
                    mapping: self.columns.mapping,
                    named: part.prefix.as_deref().map_or(Named::List(&list), Named::Prefix),
                    compression,
                    region: &region,
                };
                let fetched = match warehouse.remote_copy() {
                    Some(remote) => remote.copy(&order)?,
                    None => return Err(WarehouseError::NoStaging.into()),
                };
                landed.rows += fetched.rows;
                refused.extend(fetched.refused);
                let most = part.objects + part.prefix.as_ref().map_or(0, |_| self.empty);
                prefixes.extend(part.prefix);
                agree("objects", fetched.objects, part.objects, most)?;
            }
        }
        if !prefixes.is_empty() {
            self.unmoved(&prefixes)?;
        }
        let counted =
            warehouse.query_file(&sql::COUNT_LANDING.of(self.order.kind.ddl()), &[], 1)?;
        let counted = counted.scalar().and_then(Value::as_i64);
        let counted = counted.and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default();
        agree("rows", counted, landed.rows, landed.rows)?;
        Ok(refused)
    }

    /// How these objects are named, in as few parts as will do.
    fn parts(&self, group: &[&Object], most: usize) -> Result<Vec<Part>, CoverError> {
        let everything = Part { prefix: None, objects: group.len() as u64 };
        if self.naming == Naming::Manifests {
            return Ok(vec![everything]);
        }
        let inside = |key: &str| {
            self.order.listing.is_some_and(|listing| {
                key.strip_prefix(&listing.root).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let keys = group.iter().map(|object| &*object.key);
        // Of what lies elsewhere, the neighbours are not known.
        let (inside, outside): (Vec<&str>, Vec<&str>) = keys.partition(|key| inside(key));
        let wanted: BTreeSet<&str> = inside.iter().copied().collect();
        let listing = self.order.listing.into_iter();
        let others = listing.flat_map(|listing| {
            let objects = listing.objects.iter().filter(|object| object.size > 0);
            let objects = objects.map(|object| &*object.key);
            objects.chain(listing.ignored.iter().map(String::as_str))
        });
        let others: Vec<&str> = others.filter(|key| !wanted.contains(key)).collect();
        let needed = most.saturating_sub(outside.len());
        let named = cover(&inside, &others, needed)?.into_iter().map(|prefix| Part {
            prefix: Some(prefix.text.to_owned()),
            objects: prefix.objects as u64,
        });
        let alone = outside.iter().map(|key| Part { prefix: Some((*key).to_owned()), objects: 1 });
        if outside.len() > most {
            return Err(CoverError::TooMany { needed: outside.len(), most });
        }
        Ok(named.chain(alone).collect())
    }

    /// Whether the same objects begin with these prefixes as when they were listed.
    fn unmoved(&self, prefixes: &[String]) -> Result<(), StageError> {
        let Some(before) = self.order.listing else { return Ok(()) };
        let now = self.order.sources.list(&before.root).map_err(ReadError::from)?;
        let named = |key: &str| {
            prefixes
                .iter()
                .any(|prefix| key.starts_with(prefix.as_str()) || prefix.starts_with(key))
        };
        let (before, now) = (names(before), names(&now));
        let moved = |key: &&str, what| {
            let key = (*key).to_owned();
            Err(DirectError::Moved { key, what }.into())
        };
        if let Some(key) = now.difference(&before).find(|key| named(key)) {
            return moved(key, "arrived");
        }
        match before.difference(&now).find(|key| named(key)) {
            Some(key) => moved(key, "went away"),
            None => Ok(()),
        }
    }
}

/// Objects that one order names.
struct Part {
    /// How they begin; none where there is a list of them.
    prefix: Option<String>,
    objects: u64,
}

fn names(listing: &Listing) -> BTreeSet<&str> {
    let objects = listing.objects.iter().map(|object| &*object.key);
    objects.chain(listing.ignored.iter().map(String::as_str)).collect()
}

/// Objects that one order can be about: of one bucket, and compressed alike, as their names say.
fn alike(objects: &[(i64, Object)]) -> Vec<(Compression, Vec<&Object>)> {
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
    let packings = [Compression::Plain, Compression::Gzip, Compression::Zstandard];
    let named = |((compression, _), group)| (packings[usize::from(compression)], group);
    groups.into_iter().map(named).collect()
}

fn agree(what: &'static str, found: u64, expected: u64, most: u64) -> Result<(), DirectError> {
    if (expected..=most).contains(&found) {
        return Ok(());
    }
    Err(DirectError::Unaccounted { what, found, expected })
}

/// The objects of which anything was refused, and the others.
fn apart(
    objects: Numbered,
    refused: &[RefusedRecord],
) -> Result<(Numbered, Numbered), DirectError> {
    let names: BTreeSet<&str> = refused.iter().map(|refused| refused.object.as_str()).collect();
    let cut = names.iter().filter(|name| name.len() >= KNOWN - 4).copied().collect::<Vec<_>>();
    let is_named = |key: &str| names.contains(key) || cut.iter().any(|name| key.starts_with(name));
    let keys: BTreeSet<&str> = objects.iter().map(|(_, object)| &*object.key).collect();
    let known = |name: &str| keys.range(name..).next().is_some_and(|key| key.starts_with(name));
    if let Some(stranger) = names.iter().find(|name| !known(name)) {
        return Err(DirectError::Moved { key: (*stranger).to_owned(), what: "arrived" });
    }
    Ok(objects.into_iter().partition(|(_, object)| is_named(&object.key)))
}

fn rows_of(kind: RecordKind, object_id: i64, object: Object, group: Option<i64>) -> ObjectRows {
    ObjectRows { object_id, object, kind, group, ..ObjectRows::default() }
}

/// What has landed enters staging, or the rejects.
fn take(
    warehouse: &mut dyn Warehouse,
    order: &Order<'_>,
    fetched: Numbered,
    landed: u64,
    tally: &mut Tally,
) -> Result<(), StageError> {
    let (kind, load_id) = (order.kind, order.load_id);
    let Some((first, key)) =
        fetched.iter().map(|(id, object)| (*id, object.key.clone())).min_by_key(|(id, _)| *id)
    else {
        return Ok(());
    };
    tally.repairs = repair::repair(warehouse, kind)?;
    let rejects = misfits(warehouse, kind, first, &key)?;
    let rejected = rejects.count;
    let staged = landed.checked_sub(rejected);
    let staged = staged.ok_or(DirectError::TooManyRejects { landed, rejected })?;
    super::keep(warehouse, rejects, load_id, tally)?;
    let insert = &sql::INSERT_STAGING.of(kind.ddl()).statement(Opening::full(warehouse.engine()));
    let numbers = [Value::Int(load_id.into()), Value::Int(first.into())];
    warehouse.query(&insert, &numbers, 0)?;
    for (id, object) in fetched {
        let mut rows = rows_of(kind, id, object, Some(first));
        if id == first {
            (rows.staged, rows.rejected) = (staged, rejected);
        }
        tally.objects.push(rows);
    }
    Ok(())
}

/// Rows that the warehouse took, that are no records by rule, and that no reader found in the objects: it read a record otherwise than this program does. Their bytes
/// are not known, so their values are kept as a record.
fn misfits(
    warehouse: &mut dyn Warehouse,
    kind: RecordKind,
    first: i64,
    key: &str,
) -> Result<Rejects, StageError> {
    let mut rejects = Rejects::new();
    for row in warehouse.query_file(&sql::INVALID_ROWS.of(kind.ddl()), &[], usize::MAX)?.rows {
        let Some((running, values)) = row.split_first() else { continue };
        let missing = kind.needed().find(|place| values.get(*place) == Some(&Value::Null));
        let what = missing.map_or("ts is out of range".to_owned(), |place| {
            format!("{} is missing", kind.keys()[place])
        });
        let record = Record(kind.keys().iter().copied().zip(values).collect());
        let raw = serde_json::to_vec(&record).unwrap_or_default();
        rejects
            .push(&Reject {
                object_id: first,
                object_key: key,
                offset: running.as_i64().and_then(|at| u64::try_from(at).ok()).unwrap_or_default(),
                length: raw.len() as u64,
                reason: &format!(
                    "{what}, in one of the objects that the warehouse fetched together"
                ),
                raw: &raw,
            })
            .map_err(ReadError::Spool)?;
    }
    Ok(rejects)
}

/// The values of a row under the keys of a record.
struct Record<'a>(Vec<(&'static str, &'a Value)>);

impl serde::Serialize for Record<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a direct load follow from one line in the staging table's file.
    #[test]
    fn a_key_is_added_in_one_line() {
        let line =
            "    user_mood label, -- $.userMood required: as chosen by the user\n    song text,";
        let ddl = RecordKind::Events.ddl();
        let text = ddl.text.replacen("    song text,", line, 1).leak();
        let file: &'static SqlFile = Box::leak(Box::new(SqlFile { text, ..*ddl }));
        for (step, parts) in [
            (sql::CREATE_LANDING, &["    usermood varchar,\n"][..]),
            (sql::INVALID_ROWS, &["    usermood,\n", "    or usermood is null\n"]),
            (
                sql::INSERT_STAGING,
                &["    user_mood,\n", "    usermood,\n", "    and usermood is not null\n"],
            ),
            (sql::REPAIR_CANDIDATES, &["select usermood || '|' as candidate\n"]),
            (sql::COUNT_REPAIRS, &["select 9 as place", "f_bytes(landing_events.usermood)"]),
            (sql::REPAIR, &["set usermood = landing_repairs.meant\n"]),
        ] {
            let text = step.of(file).opened(Opening::full("redshift"));
            for part in parts {
                assert!(text.contains(part), "{} lacks {part}: {text}", step.name);
            }
        }
    }
}
