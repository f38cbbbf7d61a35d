//! `DuckDB`: embedded engine with a warehouse in one file. The default.

mod create;
mod decode;
mod identity;
pub mod isolated;
mod rows;
mod spill;
mod statement_guard;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use duckdb::arrow::array::Array;
use duckdb::{Config, Connection};

use sparkify_config::suggest;
use sparkify_warehouse::{
    Access, FoundColumn, Interrupter, RowSink, RowSource, Statistics, Value, Warehouse,
    WarehouseError, split, sql_files, with_table,
};
use statement_guard::StatementGuard;

/// Name of the engine in conditional comments.
pub const ENGINE: &str = "duckdb";

sql_files! {
    /// SQL files of this engine.
    pub mod dialect in "dialect/duckdb" {
        PRELUDE = "prelude",
        LOAD = "load",
        CATALOG = "catalog",
        NATIVE = "native",
        PARSE = "parse",
        COMPACT = "compact",
        DATABASE = "database",
    }
}

/// Storage version of new files: `DuckDB` from this version on can read them. Its text compression
/// makes a load of two million events take about a quarter less CPU time than the default, which
/// older versions can read too.
const STORAGE_VERSION: &str = "v1.3.0";

/// Disk space that a user's statement may use for spilled data.
const GUARDED_SPILL: &str = "4GB";

/// Resource limits of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory in bytes, above which `DuckDB` spills to disk.
    pub memory: u64,
    /// Number of worker threads.
    pub threads: usize,
}

/// Returns the version of the `DuckDB` library, such as `v1.5.6`.
pub fn version() -> String {
    let connection = Connection::open_in_memory();
    connection.and_then(|it| it.version()).unwrap_or_else(|_| "of unknown version".into())
}

/// Connection to a warehouse file.
pub struct DuckDb {
    connection: Connection,
    path: PathBuf,
    pending: rows::PendingSource,
    spill: Option<spill::SpillMonitor>,
    /// Guard of a user's statements.
    guard: Option<StatementGuard>,
}

impl DuckDb {
    /// Opens the file at `path`. Creates it first if `access` allows writing.
    pub fn open(path: &Path, access: Access, limits: Limits) -> Result<Self, WarehouseError> {
        if access != Access::Write && !path.exists() {
            let near = suggest::nearest_file(path);
            return Err(WarehouseError::Missing { path: path.into(), near });
        }
        if access == Access::Write && path != Path::new(":memory:") {
            create::prepare(path, || configuration(access, limits));
        }
        let opened = configuration(access, limits)
            .and_then(|configuration| Connection::open_with_flags(path, configuration));
        let connection = opened.map_err(|error| cannot_open(path, &error))?;
        let spill = (access == Access::Write).then(|| spill::SpillMonitor::watch(path));
        let pending = rows::PendingSource::default();
        let mut warehouse = Self { connection, path: path.into(), pending, spill, guard: None };
        warehouse
            .connection
            .register_table_function_with_extra_info::<rows::RowsFunction, _>(
                rows::NAME,
                &warehouse.pending,
            )
            .map_err(|error| statement_error(&error))?;
        warehouse
            .connection
            .register_scalar_function::<identity::Identity>(identity::NAME)
            .map_err(|error| statement_error(&error))?;
        warehouse.run(&dialect::PRELUDE)?;
        warehouse.run(&dialect::NATIVE)?;
        if access.is_guarded() {
            let allows_files = access == Access::GuardedWithFiles;
            warehouse.guard = Some(StatementGuard { allows_files });
        }
        Ok(warehouse)
    }
}

impl DuckDb {
    /// Checks a statement of a guarded connection.
    fn check(&self, statement: &str) -> Result<(), WarehouseError> {
        self.guard.map_or(Ok(()), |guard| guard.check(&self.connection, statement))
    }
}

fn configuration(access: Access, limits: Limits) -> duckdb::Result<Config> {
    let is_writing = access == Access::Write;
    let mode =
        if is_writing { duckdb::AccessMode::ReadWrite } else { duckdb::AccessMode::ReadOnly };
    let configuration = Config::default()
        .access_mode(mode)?
        .enable_autoload_extension(false)?
        .with("preserve_insertion_order", "false")?
        .with("storage_compatibility_version", STORAGE_VERSION)?
        .with("memory_limit", format!("{}B", limits.memory))?
        .threads(i64::try_from(limits.threads).unwrap_or(1))?;
    match access {
        Access::Write => return Ok(configuration),
        // A view in a file of unknown origin must not read other files.
        Access::Read => return configuration.enable_external_access(false),
        Access::Guarded => configuration.enable_external_access(false)?,
        Access::GuardedWithFiles => configuration,
    }
    .with("max_temp_directory_size", GUARDED_SPILL)?
    .with("lock_configuration", "true")
}

impl Warehouse for DuckDb {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.check(statement)?;
        let started = std::time::Instant::now();
        let changed =
            self.connection.execute(statement, []).map_err(|error| statement_error(&error))?;
        tracing::debug!(rows = changed, ms = started.elapsed().as_millis(), "{statement}");
        Ok(changed as u64)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        sink: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        self.check(statement)?;
        let (started, text) = (std::time::Instant::now(), statement);
        let mut statement =
            self.connection.prepare(statement).map_err(|error| statement_error(&error))?;
        let parameters = duckdb::params_from_iter(parameters.iter().map(parameter));
        let schema = statement
            .stream_arrow(parameters)
            .map_err(|error| statement_error(&error))?
            .get_schema();
        let types: Vec<_> =
            schema.fields().iter().map(|f| decode::result_type(f.data_type())).collect();
        sink.types(&types)?;
        sink.start(schema.fields().iter().map(|field| field.name().clone()).collect())?;
        // Streams the rows: a result may be larger than memory, and the sink may stop early.
        while let Some(batch) = statement.step().map_err(|error| statement_error(&error))? {
            for row in 0..batch.len() {
                let values = batch.columns().iter().map(|column| decode::value(column, row));
                sink.row(values.collect::<Vec<Value>>())?;
            }
        }
        tracing::debug!(ms = started.elapsed().as_millis(), "{text}");
        Ok(())
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        self.pending.set(Some(source));
        let statements = split(&with_table(dialect::LOAD.text, table));
        let loaded = self.execute(&statements.concat());
        self.pending.set(None);
        loaded
    }

    fn allow_temporary_tables(&mut self) -> Result<bool, WarehouseError> {
        Ok(true)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        let handle = self.connection.interrupt_handle();
        Some(Box::new(move || handle.interrupt()))
    }

    fn statistics(&mut self) -> Option<&mut dyn Statistics> {
        Some(self)
    }

    /// Replaces the file by a copy without free space.
    fn compact(mut self: Box<Self>) -> Result<(), WarehouseError> {
        let database = self.query_file(&dialect::DATABASE, &[], 1)?;
        let database = database.scalar().map(Value::to_string).unwrap_or_default();
        let path = self.path.clone();
        create::replace(&path, |fresh| {
            let fresh = fresh.to_string_lossy().replace('\'', "''");
            let text = dialect::COMPACT.text.replace(":path", &fresh);
            let text = text.replace(":storage_version", STORAGE_VERSION);
            let text =
                text.replace("\":database\"", &format!("\"{}\"", database.replace('"', "\"\"")));
            self.execute_all(&split(&text))
        })
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        FoundColumn::query(self, &dialect::CATALOG, &[])
    }
}

impl Statistics for DuckDb {
    fn bytes_spilled(&self) -> u64 {
        self.spill.as_ref().map_or(0, spill::SpillMonitor::max_bytes)
    }
}

/// Converts a parameter.
fn parameter(value: &Value) -> duckdb::types::Value {
    use duckdb::types::{TimeUnit, Value as Bound};
    match value {
        Value::Null => Bound::Null,
        Value::Bool(value) => Bound::Boolean(*value),
        Value::Int(value) => Bound::HugeInt(*value),
        Value::Double(value) => Bound::Double(*value),
        Value::Text(value) => Bound::Text(value.clone()),
        Value::Timestamp(micros) => Bound::Timestamp(TimeUnit::Microsecond, *micros),
        Value::Bytes(value) => Bound::Blob(value.clone()),
    }
}

fn message_of(error: &duckdb::Error) -> String {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn cannot_open(path: &Path, error: &duckdb::Error) -> WarehouseError {
    let message = message_of(error);
    let path = path.to_path_buf();
    if message.contains("Could not set lock") || message.contains("Conflicting lock") {
        let pid =
            message.split("PID ").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit));
        let holder =
            pid.map_or(String::new(), |digits| format!(" (PID {})", digits.collect::<String>()));
        return WarehouseError::Busy { path, holder };
    }
    // The second message is about a file in a format that DuckDB would query, such as JSON.
    let is_foreign = message.contains("not a valid DuckDB database file")
        || message.contains("Cannot launch in-memory database in read-only mode");
    let (reason, hint) = if is_foreign {
        ("it is not a DuckDB file".into(), "choose another file with `--warehouse duckdb:FILE`")
    } else if path.is_dir() {
        ("it is a folder".into(), "name a file in it, such as `--warehouse duckdb:FOLDER/FILE`")
    } else if message.contains("No such file or directory") {
        ("its folder does not exist".into(), "create the folder first")
    } else if message.contains("Permission denied") {
        ("permission denied".into(), "check the permissions of the file and its folder")
    } else if let Some(reason) = newer_format(&message) {
        (reason, COPY_TO_OLDER_FORMAT)
    } else {
        (first_line(&message), "choose another file with `--warehouse duckdb:FILE`")
    };
    WarehouseError::CannotOpen { path, reason, hint: hint.into() }
}

/// Action for a file that only a newer library reads.
const COPY_TO_OLDER_FORMAT: &str = "convert it with the newer DuckDB: `attach 'copy.duckdb' (storage_version 'v1.3.0')`, \
     then `copy from database`; or use a sparkify with a newer library";

/// Returns the reason if DuckDB's message says that the file is in a newer format: "a database file
/// with version number 69, but we can only read versions between 64 and 68".
fn newer_format(message: &str) -> Option<String> {
    let versions = message.split("database file with version number ").nth(1)?;
    let mut numbers = versions
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse::<u32>().ok());
    let (found, newest) = (numbers.next()?, numbers.nth(1)?);
    let library = version();
    let library = library.trim_start_matches('v');
    (found > newest).then(|| {
        format!(
            "its storage format is newer than DuckDB {library} reads (version {found}, not {newest})"
        )
    })
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

/// Converts the error of a commit that could not create the write-ahead log beside the file.
fn unwritable(message: &str) -> Option<WarehouseError> {
    let (_, rest) = message.split_once("Cannot open file \"")?;
    let (path, reason) = rest.split_once(".wal\": ")?;
    Some(WarehouseError::Service {
        message: format!("cannot write `{path}.wal`: {}", first_line(reason)),
        hint: "check that the folder of the warehouse is writable: its log is beside it".into(),
    })
}

/// Converts an error; `DuckDB`'s suggestion of a similar name becomes the hint.
fn statement_error(error: &duckdb::Error) -> WarehouseError {
    let message = message_of(error);
    if message.contains("No space left on device") || message.contains("Disk quota exceeded") {
        return WarehouseError::Full { message: first_line(&message) };
    }
    if let Some(error) = unwritable(&message) {
        return error;
    }
    if message.starts_with("INTERRUPT Error") {
        return WarehouseError::Statement {
            message: "the statement was interrupted".into(),
            hint: None,
        };
    }
    if message.contains("read-only mode") {
        return WarehouseError::Statement {
            message: "the statement would change the warehouse, which is open read-only".into(),
            hint: Some("queries can only read; load data with `sparkify etl`".into()),
        };
    }
    WarehouseError::Statement { message: message.trim_end().to_owned(), hint: hint_of(&message) }
}

/// Returns the hint for a name that does not exist. `DuckDB` suggests names that are not similar,
/// and tables of the system.
fn hint_of(message: &str) -> Option<String> {
    if message.contains("file system operations are disabled") {
        return Some("pass `--allow-files` to `sparkify query` to read files".into());
    }
    let table = message.split_once("Table with name ").and_then(|(_, rest)| rest.split_once(' '));
    if let Some((table, rest)) = table {
        let found = rest.split_once("Did you mean \"").and_then(|(_, name)| name.split_once('"'));
        let found = found.map(|(name, _)| name.rsplit('.').next().unwrap_or(name));
        let otherwise =
            "list the tables with `sparkify describe`; `sparkify etl` creates and fills them";
        return Some(suggest::hint(table, found, otherwise));
    }
    let (_, rest) = message.split_once("Candidate bindings: ")?;
    let candidates = rest.lines().next()?.split(", ").map(|name| name.trim_matches('"'));
    let candidates = candidates.map(|name| name.rsplit('.').next().unwrap_or(name));
    let written = message.split('"').nth(1)?;
    suggest::nearest(written, candidates).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::hint_of;

    #[test]
    fn hints_name_similar_tables_and_columns_only() {
        let column = "Binder Error: Referenced column \"titel\" not found in FROM clause!\n";
        for (message, hint) in [
            (
                "Catalog Error: Table with name song does not exist!\nDid you mean \"songs\"?",
                Some("did you mean `songs`?"),
            ),
            (
                "Catalog Error: Table with name songs does not exist!\nDid you mean \"pg_class\"?",
                Some(
                    "list the tables with `sparkify describe`; `sparkify etl` creates and fills them",
                ),
            ),
            (
                &format!("{column}Candidate bindings: \"duration\", \"title\"\n\nLINE 1: x"),
                Some("did you mean `title`?"),
            ),
            (&format!("{column}Candidate bindings: \"year\", \"duration\"\n"), None),
            ("Parser Error: syntax error", None),
        ] {
            assert_eq!(hint_of(message).as_deref(), hint, "{message}");
        }
    }
}
