//! Objects that the cluster fetches itself: COPY from where they lie, and what the cluster noted of it.
//!
//! Records that COPY does not take it leaves out and notes, up to the greatest number there is. What it left out must be known before anything is
//! published, and notes may come later than the answer: they are waited for until they are there and add up.

use std::time::Duration;

use super::service::config_failed;
use super::staged::{self, clear, failed};
use super::{Redshift, dialect, literal};
use sparkify_aws::Landing;
use sparkify_config::Settings;
use sparkify_warehouse::{
    Compression, CopyObjects, CopyRequest, CopyResult, KeyMapping, Naming, Opening, RefusedRecord,
    Value, Warehouse, WarehouseError,
};

/// How long notes are waited for: after each of these pauses they are asked for again, in milliseconds.
const PAUSES: [u64; 9] = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// What the cluster needs to fetch objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Fetcher {
    /// The role that it takes on.
    role: Option<String>,
    /// Where lists of objects may lie.
    lists: Option<Landing>,
    /// How long such a list is left alone that somebody may still be using.
    keep: Duration,
}

impl Fetcher {
    pub(super) fn new(settings: &Settings) -> Result<Self, WarehouseError> {
        let said = &settings.staging;
        let lists = said.manifest.as_ref().map(|place| {
            let access = settings.s3.signing().map_err(|error| config_failed(&error))?;
            Landing::new(&access, place).map_err(failed)
        });
        Ok(Self { role: said.role.clone(), lists: lists.transpose()?, keep: said.retention })
    }

    pub(super) fn naming(&self) -> Naming {
        if self.lists.is_some() { Naming::Manifests } else { Naming::Prefixes }
    }
}

impl Redshift {
    /// Has the cluster fetch the objects of an order.
    pub(super) fn copy_objects(
        &mut self,
        order: &CopyRequest<'_>,
    ) -> Result<CopyResult, WarehouseError> {
        let role = self.fetcher.role.clone().ok_or(WarehouseError::NoRole)?;
        let (objects, lists) = match order.objects {
            CopyObjects::Prefix(prefix) => return self.send_copy(order, prefix, &role, false),
            CopyObjects::List(objects) => (objects, self.fetcher.lists.clone()),
        };
        let Some(place) = lists else { return Err(WarehouseError::NoStaging) };
        if !std::mem::replace(&mut self.swept, true) {
            staged::sweep(&place, self.fetcher.keep);
        }
        let folder = place.below(&staged::folder_name());
        let list = "manifest.json";
        let entries = objects.iter().map(|(url, size)| (*url, *size));
        let copied = folder
            .put(list, staged::manifest_of(entries))
            .map_err(failed)
            .and_then(|()| self.send_copy(order, &folder.url_of(list), &role, true));
        clear(&folder);
        copied
    }

    fn send_copy(
        &mut self,
        order: &CopyRequest<'_>,
        from: &str,
        role: &str,
        is_list: bool,
    ) -> Result<CopyResult, WarehouseError> {
        let quoted: Vec<String> =
            order.columns.iter().map(|column| format!("\"{column}\"")).collect();
        let copy = dialect::COPY_DIRECT
            .statement_on(order.table, Opening::full(self.engine()))
            .replace("\":columns\"", &quoted.join(", "))
            .replace(" :form", &form(order.compression, is_list));
        let mapping = match order.mapping {
            KeyMapping::Exact => "auto",
            KeyMapping::IgnoreCase => "auto ignorecase",
            KeyMapping::Paths(url) => url,
        };
        let said = [from, role, order.region, mapping].map(|text| Value::Text(text.to_owned()));
        let copy = literal::filled(&copy, &said)?;
        match self.tell(&copy) {
            Ok(_) => self.noted_of_copy(),
            // Which objects were at fault is noted under their own names.
            Err(error @ WarehouseError::Statement { .. }) => {
                let common = if is_list { common(order.objects) } else { from.to_owned() };
                Err(self.explained(error, &common))
            }
            Err(error) => Err(error),
        }
    }

    fn noted_of_copy(&mut self) -> Result<CopyResult, WarehouseError> {
        let counted = self.counted()?.unwrap_or_default();
        let noted = self.awaited(|cluster| {
            let noted = cluster.noted()?.filter(|noted| noted.is_done);
            Ok(noted.and_then(|noted| Some((noted.rows?, noted.objects?, noted.refused?))))
        })?;
        let Some((rows, objects, count)) = noted else {
            return Err(unaccounted("the cluster does not say how many records it refused".into()));
        };
        if rows != counted {
            return Err(unaccounted(format!(
                "the session counts {counted} rows, and the cluster noted {rows}"
            )));
        }
        if count == 0 {
            return Ok(CopyResult { rows, objects, refused: Vec::new() });
        }
        let refused = self.awaited(|cluster| {
            let refused = cluster.query_file(&dialect::REJECTED_RECORDS, &[], usize::MAX)?;
            let is_whole = refused.rows.len() as u64 >= count;
            Ok(is_whole.then(|| refused.rows.iter().map(|row| told(row)).collect()))
        })?;
        let refused = refused.ok_or_else(|| {
            unaccounted(format!("the cluster refused {count} records, and does not tell which"))
        })?;
        Ok(CopyResult { rows, objects, refused })
    }

    /// Asks until there is an answer, or patience ends.
    fn awaited<T>(
        &mut self,
        mut ask: impl FnMut(&mut Self) -> Result<Option<T>, WarehouseError>,
    ) -> Result<Option<T>, WarehouseError> {
        for pause in PAUSES {
            if let Some(answer) = ask(self)? {
                return Ok(Some(answer));
            }
            std::thread::sleep(Duration::from_millis(pause));
        }
        ask(self)
    }
}

fn form(compression: Compression, is_list: bool) -> String {
    let compression = match compression {
        Compression::Plain => "",
        Compression::Gzip => " gzip",
        Compression::Zstandard => " zstd",
    };
    format!("{compression}{}", if is_list { " manifest" } else { "" })
}

fn told(row: &[Value]) -> RefusedRecord {
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

/// What the names of all listed objects begin with.
fn common(named: CopyObjects<'_>) -> String {
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
