//! COPY of staged files, verification of its row counts, and details of load errors.

use std::sync::Arc;

use super::copy_entry::{BeforeCopy, CopyEntry};
use super::service::config_failed;
use super::staged::{self, Staging};
use super::{Redshift, dialect, literal};
use sparkify_aws::Landing;
use sparkify_config::Settings;
use sparkify_warehouse::{Opening, RowSource, Value, Warehouse, WarehouseError, WrittenRows};

impl Redshift {
    /// Writes many rows to files in S3.
    pub(super) fn write_rows(
        &mut self,
        table: &str,
        source: &Arc<dyn RowSource>,
    ) -> Result<WrittenRows, WarehouseError> {
        let Some(staging) = self.staging.clone() else { return Err(WarehouseError::NoStaging) };
        // Once per connection is enough; the listing costs requests.
        if !std::mem::replace(&mut self.leftovers_removed, true) {
            staging.remove_leftovers();
        }
        let columns = self.columns_of(table)?;
        staging.write(table, &columns, self.slices, source)
    }

    /// Loads written rows with COPY.
    pub(super) fn copy_rows(&mut self, written: &WrittenRows) -> Result<(), WarehouseError> {
        if written.rows == 0 {
            return Ok(());
        }
        let copy = dialect::COPY_STAGED.statement_on(&written.table, Opening::full(self.engine()));
        let parameters = [&written.manifest, &written.folder.role, &written.folder.region];
        let copy = literal::bind(&copy, &parameters.map(|text| Value::Text(text.clone())))?;
        let before = self.before_copy()?;
        match self.run(&copy) {
            Ok(_) => self.verify_counts(&before, written),
            Err(error @ WarehouseError::Statement { .. }) => {
                Err(self.with_load_errors(error, &written.folder.folder))
            }
            Err(error) => Err(error),
        }
    }

    /// Verifies that COPY loaded exactly the rows and files that were written.
    fn verify_counts(
        &mut self,
        before: &BeforeCopy,
        staged: &WrittenRows,
    ) -> Result<(), WarehouseError> {
        let last = self.last_copy()?;
        let counted = last.rows;
        let written = [staged.rows, staged.files, 0].map(Some);
        // The session's own count is available at once and always compared. The entry in the load
        // history may appear later than the COPY returns; it is compared only if it is there, and
        // then once it is complete.
        let entry = self.poll(|cluster| {
            let entry = cluster.copy_entry(before, &last, &staged.manifest)?;
            let is_final = entry.as_ref().is_none_or(CopyEntry::is_completed);
            Ok(is_final.then_some(entry))
        })?;
        let agrees = entry
            .flatten()
            .is_none_or(|entry| [entry.rows, entry.objects, entry.refused] == written);
        if counted == Some(staged.rows) && agrees {
            return Ok(());
        }
        let loaded = counted.map_or("an unknown number of".into(), |count| count.to_string());
        Err(WarehouseError::Statement {
            message: format!(
                "COPY loaded {loaded} rows, but {} rows in {} files were staged",
                staged.rows, staged.files,
            ),
            hint: Some("nothing of this load was published; see sys_load_history".into()),
        })
    }

    /// Adds the cluster's load errors to the failure of a COPY.
    ///
    /// The failed COPY aborted the transaction of this session, so a second session queries them.
    pub(super) fn with_load_errors(&self, error: WarehouseError, place: &str) -> WarehouseError {
        let WarehouseError::Statement { message, hint } = &error else { return error };
        let queried =
            self.channel.open_another().map(|channel| self.with_channel(channel)).and_then(
                |mut other| {
                    let folder = [Value::Text(place.to_owned())];
                    other.query_file(&dialect::LOAD_ERRORS, &folder, usize::MAX)
                },
            );
        let rows = match queried {
            Ok(answer) => answer.rows,
            Err(second) => {
                tracing::debug!("cannot query the load errors of a failed COPY: {second}");
                return error;
            }
        };
        let mut message = message.clone();
        for row in &rows {
            if let [file, line, column, code, reason] = row.as_slice() {
                message = format!(
                    "{message}\n  `{file}`, line {line}, column `{column}`: {reason} ({code})"
                );
            }
        }
        WarehouseError::Statement { message, hint: hint.clone() }
    }
}

/// Returns the staging settings if a location is configured. The cluster then needs a role that
/// reads it.
pub(super) fn staging(settings: &Settings) -> Result<Option<Staging>, WarehouseError> {
    let Some(location) = &settings.staging.location else { return Ok(None) };
    let role = settings.staging.role.clone().ok_or(WarehouseError::NoRole)?;
    let access = settings.s3.signing().map_err(|error| config_failed(&error))?;
    let place = Landing::new(&access, location).map_err(|error| staged::failed(&error))?;
    Ok(Some(Staging {
        region: place.region(),
        place,
        role,
        retention: settings.staging.retention,
        threads: settings.threads,
    }))
}
