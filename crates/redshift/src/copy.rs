//! COPY of the files that were written for it: what is sent, whether the counts agree, and what the cluster says of rows that it would not take.

use std::sync::Arc;

use super::service::config_failed;
use super::staged::{self, Staging};
use super::{Redshift, dialect, literal};
use sparkify_aws::Landing;
use sparkify_config::Settings;
use sparkify_warehouse::{Opening, RowSource, Value, Warehouse, WarehouseError};

/// What the cluster noted of a COPY.
pub(super) struct Noted {
    pub is_done: bool,
    pub rows: Option<u64>,
    pub objects: Option<u64>,
    pub refused: Option<u64>,
}

fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_i64).and_then(|count| u64::try_from(count).ok())
}

impl Redshift {
    /// Rows in number: by files and COPY.
    pub(super) fn load_staged(
        &mut self,
        table: &str,
        source: &Arc<dyn RowSource>,
    ) -> Result<u64, WarehouseError> {
        let Some(staging) = self.staging.clone() else { return Err(WarehouseError::NoStaging) };
        if !std::mem::replace(&mut self.swept, true) {
            staging.sweep();
        }
        let columns = self.columns_of(table)?;
        let landed = staging.write(table, &columns, self.slices, source)?;
        let loaded = if landed.rows == 0 { Ok(()) } else { self.copy(table, &landed, &staging) };
        landed.clear();
        loaded.map(|()| landed.rows)
    }

    fn copy(
        &mut self,
        table: &str,
        landed: &staged::Landed,
        staging: &Staging,
    ) -> Result<(), WarehouseError> {
        let copy = dialect::COPY_STAGED.statement_on(table, Opening::full(self.engine()));
        let said = [&landed.manifest, &staging.role, &staging.region];
        let copy = literal::filled(&copy, &said.map(|text| Value::Text(text.clone())))?;
        match self.tell(&copy) {
            Ok(_) => self.compare(landed),
            Err(error @ WarehouseError::Statement { .. }) => {
                Err(self.explained(error, &landed.folder.location()))
            }
            Err(error) => Err(error),
        }
    }

    /// What the cluster says that it loaded is what was written.
    fn compare(&mut self, landed: &staged::Landed) -> Result<(), WarehouseError> {
        let counted = self.counted()?;
        let written = [landed.rows, landed.files.len() as u64, 0].map(Some);
        // The note may come later than the load; the count is the session's own.
        let agrees =
            self.noted()?.is_none_or(|noted| [noted.rows, noted.objects, noted.refused] == written);
        if counted == Some(landed.rows) && agrees {
            return Ok(());
        }
        let said = counted.map_or("an unknown number of".into(), |count| count.to_string());
        Err(WarehouseError::Statement {
            message: format!(
                "{} rows in {} files were written, and the cluster loaded {said} of them",
                landed.rows,
                landed.files.len(),
            ),
            hint: Some("nothing of this load was published; see sys_load_history".into()),
        })
    }

    /// How many rows the last COPY loaded, as the session counts them.
    pub(super) fn counted(&mut self) -> Result<Option<u64>, WarehouseError> {
        Ok(number(self.query_file(&dialect::COPIED_ROWS, &[], 1)?.scalar()))
    }

    /// What the cluster noted of the last COPY, if it has done so.
    pub(super) fn noted(&mut self) -> Result<Option<Noted>, WarehouseError> {
        let noted = self.query_file(&dialect::COPY_HISTORY, &[], 1)?;
        Ok(noted.rows.first().map(|row| {
            let [rows, objects, refused] = [1, 2, 3].map(|at| number(row.get(at)));
            let is_done = row.first().and_then(Value::as_text) == Some("completed");
            Noted { is_done, rows, objects, refused }
        }))
    }

    /// The failure of a COPY with what the cluster noted of the rows that it would not take. The transaction is at its end, so somebody else asks.
    pub(super) fn explained(&self, error: WarehouseError, place: &str) -> WarehouseError {
        let WarehouseError::Statement { message, hint } = &error else { return error };
        let asked =
            self.channel.another().map(|channel| self.beside(channel)).and_then(|mut other| {
                let folder = [Value::Text(place.to_owned())];
                other.query_file(&dialect::LOAD_ERRORS, &folder, usize::MAX)
            });
        let rows = match asked {
            Ok(answer) => answer.rows,
            Err(second) => {
                tracing::debug!("asking why: {second}");
                return error;
            }
        };
        let mut message = message.clone();
        for row in &rows {
            if let [file, line, column, code, words] = row.as_slice() {
                message = format!(
                    "{message}\n  `{file}`, line {line}, column `{column}`: {words} ({code})"
                );
            }
        }
        WarehouseError::Statement { message, hint: hint.clone() }
    }
}

/// Where rows land, if anybody said so; then the cluster needs a role to read them.
pub(super) fn staging(settings: &Settings) -> Result<Option<Staging>, WarehouseError> {
    let Some(location) = &settings.staging.location else { return Ok(None) };
    let role = settings.staging.role.clone().ok_or(WarehouseError::NoRole)?;
    let access = settings.s3.signing().map_err(|error| config_failed(&error))?;
    let place = Landing::new(&access, location).map_err(staged::failed)?;
    Ok(Some(Staging {
        region: place.region(),
        place,
        role,
        keep: settings.staging.retention,
        threads: settings.threads,
    }))
}
