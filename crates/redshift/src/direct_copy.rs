//! Direct COPY: the cluster reads the source objects from S3, without staged files.
//!
//! COPY skips records that it cannot load and logs them (`maxerror` has its maximum). All skipped
//! records must be known before the load is published. The log entries may appear after COPY has
//! returned, so they are polled until their counts agree.

use std::time::Duration;

use super::copy_entry::{BeforeCopy, CopyEntry};
use super::service::config_failed;
use super::staged::{self, clear, failed};
use super::{Redshift, dialect, literal};
use sparkify_aws::Landing;
use sparkify_config::Settings;
use sparkify_warehouse::{
    Compression, CopyObjects, CopyRequest, CopyResult, KeyMapping, Naming, Opening, RefusedRecord,
    Value, Warehouse, WarehouseError,
};

/// Settings of direct COPY.
#[derive(Debug, Clone, Default)]
pub(super) struct DirectCopy {
    /// IAM role that the cluster assumes.
    role: Option<String>,
    /// Location of manifests, if one is configured.
    manifests: Option<Landing>,
    /// Age after which a leftover manifest may be removed; a younger one may be in use.
    retention: Duration,
}

impl DirectCopy {
    pub(super) fn new(settings: &Settings) -> Result<Self, WarehouseError> {
        let staging = &settings.staging;
        let manifests = staging.manifest.as_ref().map(|place| {
            let access = settings.s3.signing().map_err(|error| config_failed(&error))?;
            Landing::new(&access, place).map_err(|error| failed(&error))
        });
        Ok(Self {
            role: staging.role.clone(),
            manifests: manifests.transpose()?,
            retention: staging.retention,
        })
    }

    pub(super) fn naming(&self) -> Naming {
        if self.manifests.is_some() { Naming::Manifests } else { Naming::Prefixes }
    }
}

impl Redshift {
    /// Loads the objects of a request with COPY. An object list is passed as a manifest, which is
    /// removed afterwards.
    pub(super) fn copy_objects(
        &mut self,
        request: &CopyRequest<'_>,
    ) -> Result<CopyResult, WarehouseError> {
        let role = self.direct_copy.role.clone().ok_or(WarehouseError::NoRole)?;
        let (objects, manifests) = match request.objects {
            CopyObjects::Prefix(prefix) => {
                return self.send_copy(request, prefix, &role, mapping_of(request)?, false);
            }
            CopyObjects::List(objects) => (objects, self.direct_copy.manifests.clone()),
        };
        let Some(place) = manifests else { return Err(WarehouseError::NoStaging) };
        if !std::mem::replace(&mut self.leftovers_removed, true) {
            staged::remove_leftovers(&place, self.direct_copy.retention);
        }
        let folder = place.below(&staged::folder_name());
        let manifest = "manifest.json";
        let entries = objects.iter().map(|(url, size)| (*url, *size));
        let paths = "paths.json";
        let mapping = match request.mapping {
            KeyMapping::Written(text) => {
                folder.put(paths, text.as_bytes().to_vec()).map(|()| folder.url_of(paths))
            }
            _ => Ok(mapping_of(request)?.to_owned()),
        };
        let copied = mapping
            .and_then(|mapping| {
                folder.put(manifest, staged::manifest_of(entries)).map(|()| mapping)
            })
            .map_err(|error| failed(&error))
            .and_then(|mapping| {
                self.send_copy(request, &folder.url_of(manifest), &role, &mapping, true)
            });
        clear(&folder);
        copied
    }

    fn send_copy(
        &mut self,
        request: &CopyRequest<'_>,
        from: &str,
        role: &str,
        mapping: &str,
        is_manifest: bool,
    ) -> Result<CopyResult, WarehouseError> {
        let quoted: Vec<String> =
            request.columns.iter().map(|column| format!("\"{column}\"")).collect();
        let copy = dialect::COPY_DIRECT
            .statement_on(request.table, Opening::full(self.engine()))
            .replace("\":columns\"", &quoted.join(", "))
            .replace(" :form", &copy_options(request.compression, is_manifest));
        let parameters =
            [from, role, request.region, mapping].map(|text| Value::Text(text.to_owned()));
        let copy = literal::bind(&copy, &parameters)?;
        let before = self.before_copy()?;
        match self.run(&copy) {
            Ok(_) => self.verified_result(&before, from),
            // The load errors are logged under the names of the objects, not of the manifest.
            Err(error @ WarehouseError::Statement { .. }) => {
                let prefix =
                    if is_manifest { common_prefix(request.objects) } else { from.to_owned() };
                Err(self.with_load_errors(error, &prefix))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the result of the last COPY once the load history agrees with the session's count
    /// and lists every rejected record. Fails otherwise, so that no unaccounted record is
    /// published.
    fn verified_result(
        &mut self,
        before: &BeforeCopy,
        from: &str,
    ) -> Result<CopyResult, WarehouseError> {
        let last = self.last_copy()?;
        let counted = last.rows.unwrap_or_default();
        let history = self.poll(|cluster| {
            let entry = cluster.copy_entry(before, &last, from)?.filter(CopyEntry::is_completed);
            Ok(entry.and_then(|it| Some((it.query, it.rows?, it.objects?, it.refused?))))
        })?;
        let Some((query, rows, objects, count)) = history else {
            return Err(unaccounted(
                "the load history does not report the number of rejected records".into(),
            ));
        };
        if rows != counted {
            return Err(unaccounted(format!(
                "the session counts {counted} loaded rows, but the load history reports {rows}"
            )));
        }
        if count == 0 {
            return Ok(CopyResult { rows, objects, refused: Vec::new() });
        }
        let refused = self.poll(|cluster| {
            let entry = [Value::Int(query.into())];
            let refused = cluster.query_file(&dialect::REJECTED_RECORDS, &entry, usize::MAX)?;
            let is_complete = refused.rows.len() as u64 >= count;
            Ok(is_complete.then(|| refused.rows.iter().map(|row| rejected_record(row)).collect()))
        })?;
        let refused = refused.ok_or_else(|| {
            unaccounted(format!(
                "COPY rejected {count} records, but its log does not list all of them"
            ))
        })?;
        Ok(CopyResult { rows, objects, refused })
    }
}

/// Returns the parameter of `JSON`. A file that is to be written needs a place for manifests.
fn mapping_of<'a>(request: &CopyRequest<'a>) -> Result<&'a str, WarehouseError> {
    match request.mapping {
        KeyMapping::Exact => Ok("auto"),
        KeyMapping::IgnoreCase => Ok("auto ignorecase"),
        KeyMapping::Paths(url) => Ok(url),
        KeyMapping::Written(_) => Err(WarehouseError::NoStaging),
    }
}

/// Returns the options of COPY for the compression and the manifest.
fn copy_options(compression: Compression, is_manifest: bool) -> String {
    let compression = match compression {
        Compression::Plain => "",
        Compression::Gzip => " gzip",
        Compression::Zstandard => " zstd",
    };
    format!("{compression}{}", if is_manifest { " manifest" } else { "" })
}

fn rejected_record(row: &[Value]) -> RefusedRecord {
    let text = |at: usize| row.get(at).map(Value::to_string).unwrap_or_default();
    let column = match text(2) {
        column if column.is_empty() => column,
        column => format!(", column `{column}`"),
    };
    RefusedRecord {
        object: text(0),
        reason: format!("{} ({}), line {}{column}", text(4), text(3), text(1)),
    }
}

/// Returns the longest common prefix of the URLs of all listed objects.
fn common_prefix(named: CopyObjects<'_>) -> String {
    let CopyObjects::List(objects) = named else { return String::new() };
    let mut urls = objects.iter().map(|(url, _)| *url);
    let first = urls.next().unwrap_or_default();
    let shared = urls.fold(first.len(), |shared, url| {
        let same = first.bytes().zip(url.bytes()).take_while(|(one, other)| one == other).count();
        same.min(shared)
    });
    let end = (0..=shared).rev().find(|end| first.is_char_boundary(*end)).unwrap_or_default();
    first[..end].to_owned()
}

fn unaccounted(message: String) -> WarehouseError {
    WarehouseError::Statement {
        message,
        hint: Some(
            "nothing of this load was published; see sys_load_history and sys_load_error_detail"
                .into(),
        ),
    }
}
