//! Load history: rows of the system views and results of the `pg_last_copy_*` functions.
//!
//! DG/SYS_LOAD_HISTORY.html, DG/SYS_LOAD_ERROR_DETAIL.html, DG/PG_LAST_COPY_ID.html,
//! DG/PG_LAST_COPY_COUNT.html. Values of CHAR columns are padded with blanks, as Redshift returns
//! them.

use super::{CopyStatement, LoadError, LoadFailure, Loaded, ScannedFile};

/// Session, query and times of a COPY; times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct LoadRun {
    pub user_id: i32,
    pub query_id: i64,
    /// ID of the query in STL tables.
    pub stl_query: i64,
    pub transaction_id: i64,
    pub session_id: i32,
    pub database_name: String,
    pub table_id: i32,
    pub start_time: i64,
    pub end_time: i64,
}

/// Row of `SYS_LOAD_HISTORY`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs)]
pub struct LoadHistoryRow {
    pub user_id: i32,
    pub query_id: i64,
    pub transaction_id: i64,
    pub session_id: i32,
    pub database_name: String,
    /// `completed` or `aborted`.
    pub status: &'static str,
    pub table_name: String,
    pub start_time: i64,
    pub end_time: i64,
    pub duration: i64,
    pub data_source: String,
    pub file_format: &'static str,
    pub loaded_rows: i64,
    pub loaded_bytes: i64,
    pub source_file_count: i32,
    pub source_file_bytes: i64,
    pub file_count_scanned: i32,
    pub file_bytes_scanned: i64,
    pub error_count: i64,
    /// ID of an auto-copy job; always 0.
    pub copy_job_id: i64,
}

impl LoadHistoryRow {
    /// Returns the row as it is while the COPY runs, before its counts are complete.
    pub(crate) fn while_running(&self) -> Self {
        let counts = (0, 0, 0);
        let (loaded_rows, loaded_bytes, error_count) = counts;
        Self { status: "running", loaded_rows, loaded_bytes, error_count, ..self.clone() }
    }
}

/// Row of `SYS_LOAD_ERROR_DETAIL`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs)]
pub struct LoadErrorRow {
    pub user_id: i32,
    pub query_id: i64,
    /// ID of the query in STL tables.
    pub stl_query: i64,
    pub transaction_id: i64,
    pub session_id: i32,
    /// CHAR(64).
    pub database_name: String,
    pub table_id: i32,
    pub start_time: i64,
    /// CHAR(256).
    pub file_name: String,
    pub line_number: i64,
    /// CHAR(127).
    pub column_name: String,
    /// CHAR(10).
    pub column_type: String,
    /// CHAR(10).
    pub column_length: String,
    pub position: i32,
    pub error_code: i32,
    /// CHAR(512).
    pub error_message: String,
}

/// Log of all COPYs since the cluster started.
#[derive(Debug, Clone, Default)]
pub struct LoadLog {
    /// Loads, oldest first.
    pub loads: Vec<LoadHistoryRow>,
    /// Errors of the loads, in the same order.
    pub errors: Vec<LoadErrorRow>,
}

impl LoadLog {
    /// Adds a COPY, unless it failed before loading began: then it is in no view.
    pub fn add(
        &mut self,
        run: &LoadRun,
        copy: &CopyStatement,
        outcome: Result<&Loaded, &LoadFailure>,
    ) {
        let (status, errors, files, rows, bytes) = match outcome {
            Ok(loaded) => (
                "completed",
                &loaded.errors,
                &loaded.files,
                loaded.loaded_rows,
                loaded.loaded_bytes,
            ),
            Err(failure) if failure.started => ("aborted", &failure.errors, &failure.files, 0, 0),
            Err(_) => return,
        };
        self.errors.extend(errors.iter().map(|error| error_row(run, error)));
        let (file_count, file_bytes) = totals(files);
        self.loads.push(LoadHistoryRow {
            user_id: run.user_id,
            query_id: run.query_id,
            transaction_id: run.transaction_id,
            session_id: run.session_id,
            database_name: run.database_name.clone(),
            status,
            table_name: copy.table.clone(),
            start_time: run.start_time,
            end_time: run.end_time,
            duration: run.end_time - run.start_time,
            data_source: copy.from.clone(),
            file_format: if copy.options.parquet { "parquet" } else { "json" },
            loaded_rows: signed(rows),
            loaded_bytes: signed(bytes),
            source_file_count: file_count,
            source_file_bytes: file_bytes,
            file_count_scanned: file_count,
            file_bytes_scanned: file_bytes,
            error_count: signed(errors.len() as u64),
            copy_job_id: 0,
        });
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns number and total size of the files.
fn totals(files: &[ScannedFile]) -> (i32, i64) {
    let bytes = files.iter().map(|file| file.bytes).sum();
    (i32::try_from(files.len()).unwrap_or(i32::MAX), signed(bytes))
}

fn error_row(run: &LoadRun, error: &LoadError) -> LoadErrorRow {
    LoadErrorRow {
        user_id: run.user_id,
        query_id: run.query_id,
        stl_query: run.stl_query,
        transaction_id: run.transaction_id,
        session_id: run.session_id,
        database_name: padded(&run.database_name, 64),
        table_id: run.table_id,
        start_time: run.start_time,
        file_name: padded(&error.file_name, 256),
        line_number: error.line_number,
        column_name: padded(&error.column_name, 127),
        column_type: padded(&error.column_type, 10),
        column_length: padded(&error.column_length, 10),
        position: i32::try_from(error.position).unwrap_or(i32::MAX),
        error_code: error.error_code,
        error_message: padded(&error.error_message, 512),
    }
}

/// Pads a value with blanks to `bytes` bytes, or truncates it at a character boundary.
fn padded(text: &str, bytes: usize) -> String {
    let mut keep = bytes.min(text.len());
    while !text.is_char_boundary(keep) {
        keep -= 1;
    }
    format!("{}{}", &text[..keep], " ".repeat(bytes - keep))
}

/// Last COPY of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCopy {
    /// Result of `pg_last_copy_id()`; -1 before the first COPY.
    pub id: i64,
    /// Result of `pg_last_copy_count()`.
    pub count: i64,
}

impl Default for LastCopy {
    fn default() -> Self {
        Self { id: -1, count: 0 }
    }
}

impl LastCopy {
    /// Records a COPY. One that failed before loading began changes nothing; one that failed later
    /// sets the count to 0.
    pub fn update(&mut self, query_id: i64, outcome: Result<&Loaded, &LoadFailure>) {
        match outcome {
            Ok(loaded) => *self = Self { id: query_id, count: signed(loaded.loaded_rows) },
            Err(failure) if failure.started => *self = Self { id: query_id, count: 0 },
            Err(_) => {}
        }
    }
}
