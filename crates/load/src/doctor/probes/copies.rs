//! COPY of values that no page of the guide describes, for the evidence file: the result of each is
//! recorded, and compared with nothing. And the entry of a COPY in the load history: when it is
//! visible, and which of its numbers are those that the session knows.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Transaction, statement_error};
use sparkify_warehouse::{UploadedFiles, Value, Warehouse, WarehouseError};

/// Pauses between queries of the load history, in milliseconds.
const PAUSES: [u64; 9] = [50, 100, 200, 500, 1_000, 2_000, 3_000, 5_000, 8_000];
/// Status of an entry that does not change any more.
const FINAL: &str = "completed";

/// Statements of the `[evidence.copy]` section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::doctor) struct CopyTemplates {
    values: Vec<String>,
    types: Vec<String>,
    table: String,
    copy: String,
    result: String,
    errors: String,
    last: String,
    entry: String,
}

/// Result of a COPY of one value. The JSON keys are part of the evidence file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::doctor) struct CopiedValue {
    /// The value, as a JSON number.
    value: String,
    /// Type of the column.
    #[serde(rename = "type")]
    column_type: String,
    /// Loaded value; `∅` is null; none if no row was loaded.
    loaded: Option<String>,
    /// Error message of the COPY.
    error: Option<String>,
    /// Entries in the view of load errors, as code and message.
    load_errors: Vec<String>,
}

/// Entry of a COPY in the load history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::doctor) struct HistoryEntry {
    /// True if `pg_last_copy_id()` is the query ID of the entry.
    copy_id_is_query_id: Option<bool>,
    /// True if `pg_backend_pid()` is the session ID of the entry.
    session_is_process: Option<bool>,
    /// True if the loaded rows of the entry are those of `pg_last_copy_count()`.
    rows_agree: Option<bool>,
    /// Status in each query until the entry was final; `∅` if there was no entry.
    statuses: Vec<String>,
    /// Seconds from the end of the COPY to the last of these queries.
    seconds: f64,
    /// Status after the transaction was rolled back.
    status_after_rollback: String,
    /// Error messages of these queries.
    errors: Vec<String>,
}

/// Results of COPY. The JSON keys are part of the evidence file.
#[derive(Debug, Default, Serialize)]
pub(in crate::doctor) struct CopyEvidence {
    values: Vec<CopiedValue>,
    history: Option<HistoryEntry>,
}

/// Copies each value into a column of each type. Files are removed in any case; tables are
/// temporary.
pub(in crate::doctor) fn run(
    warehouse: &mut dyn Warehouse,
    templates: &CopyTemplates,
    evidence: &mut CopyEvidence,
) -> Result<(), WarehouseError> {
    let pairs = templates.values.iter().flat_map(|value| {
        templates.types.iter().map(move |column_type| (value.as_str(), column_type.as_str()))
    });
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let texts: Vec<String> =
        pairs.iter().map(|(value, _)| format!("{{\"a\": {value}}}\n")).collect();
    let files: Vec<(String, &str)> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| (format!("{number}/data/a.json"), text.as_str()))
        .collect();
    let uploaded = match warehouse.remote_copy() {
        Some(remote) => remote.upload(&files)?,
        None => None,
    };
    let Some(uploaded) = uploaded else { return Ok(()) };
    let mut transaction = Transaction::new(warehouse);
    for (number, (value, column_type)) in pairs.into_iter().enumerate() {
        let mut one = Copies { transaction: &mut transaction, templates, files: &uploaded, number };
        let copied = one.copy(value, column_type)?;
        if evidence.history.is_none() && copied.loaded.is_some() {
            evidence.history = Some(one.history()?);
        }
        evidence.values.push(copied);
    }
    transaction.end()
}

/// One COPY.
struct Copies<'a, 'b> {
    transaction: &'a mut Transaction<'b>,
    templates: &'a CopyTemplates,
    files: &'a UploadedFiles,
    number: usize,
}

impl Copies<'_, '_> {
    fn parameters(&self) -> Vec<Value> {
        let UploadedFiles { folder, role, region, .. } = self.files;
        let data = format!("{folder}/{}/data/", self.number);
        [data, role.clone(), region.clone()].map(Value::Text).into()
    }

    fn copy(&mut self, value: &str, column_type: &str) -> Result<CopiedValue, WarehouseError> {
        let CopyTemplates { table, copy, result, errors, .. } = self.templates;
        let filled = |template: &String| {
            let name = format!("probe_c{}", self.number);
            template.replace(":table", &name).replace(":type", column_type)
        };
        let [table, copy, result] = [table, copy, result].map(filled);
        let parameters = self.parameters();
        let mut copied = CopiedValue {
            value: value.into(),
            column_type: column_type.into(),
            loaded: None,
            error: None,
            load_errors: Vec::new(),
        };
        self.transaction.begin()?;
        for (statement, parameters) in
            [(&table, &[][..]), (&copy, parameters.as_slice()), (&result, &[])]
        {
            match statement_error(self.transaction.query(statement, parameters))? {
                Ok((_, rows)) => copied.loaded = rows.into_iter().next(),
                Err(message) => {
                    copied.error = Some(message);
                    break;
                }
            }
        }
        if copied.loaded.is_none() {
            self.transaction.begin()?;
            copied.load_errors = match statement_error(self.transaction.query(errors, &parameters))?
            {
                Ok((_, rows)) => rows,
                Err(message) => vec![message],
            };
        }
        Ok(copied)
    }

    /// Queries the entry of the COPY that just ended, until it is final, and once more after the
    /// rollback.
    fn history(&mut self) -> Result<HistoryEntry, WarehouseError> {
        let started = Instant::now();
        let parameters = self.parameters();
        let mut errors = Vec::new();
        let known = self.row(&self.templates.last, &[], &mut errors)?;
        let (mut statuses, mut entry) = (Vec::new(), Vec::new());
        for pause in [0].into_iter().chain(PAUSES) {
            std::thread::sleep(Duration::from_millis(pause));
            entry = self.row(&self.templates.entry, &parameters, &mut errors)?;
            statuses.push(status(&entry));
            if status(&entry) == FINAL {
                break;
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        self.transaction.end()?;
        self.transaction.begin()?;
        let after = self.row(&self.templates.entry, &parameters, &mut errors)?;
        let agree = |at: usize, of_entry: usize| Some(known.get(at)? == entry.get(of_entry)?);
        Ok(HistoryEntry {
            copy_id_is_query_id: agree(0, 0),
            session_is_process: agree(1, 1),
            rows_agree: agree(2, 3),
            statuses,
            seconds,
            status_after_rollback: status(&after),
            errors,
        })
    }

    /// Returns the cells of the first row; none after an error of the statement, which is noted.
    fn row(
        &mut self,
        statement: &str,
        parameters: &[Value],
        errors: &mut Vec<String>,
    ) -> Result<Vec<String>, WarehouseError> {
        self.transaction.begin()?;
        let first = match statement_error(self.transaction.query(statement, parameters))? {
            Ok((_, rows)) => rows.into_iter().next(),
            Err(message) => {
                errors.push(message);
                None
            }
        };
        Ok(first.map(|row| row.split('|').map(str::to_owned).collect()).unwrap_or_default())
    }
}

/// Returns the status of an entry: its third cell.
fn status(entry: &[String]) -> String {
    entry.get(2).cloned().unwrap_or_else(|| "∅".into())
}
