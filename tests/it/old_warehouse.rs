//! The warehouse of sparkify 0.1.0 in `tests/data/layout_1`, and connections that end early.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sparkify_warehouse::{
    Access, FoundColumn, Interrupter, LoadLock, LockScope, RemoteCopy, RowSink, RowSource,
    Statistics, Value, Warehouse, WarehouseError, split,
};

use crate::data::repository;
use crate::support::{open, put, walk};

/// Folder of the sources when the warehouse was made.
const SOURCES: &str = "/data";
/// Modification time of the sources: 2018-12-01.
const MODIFIED: Duration = Duration::from_hours(17_866 * 24);

/// Returns a file of the fixture.
fn fixture(name: &str) -> PathBuf {
    repository().join("tests/data/layout_1").join(name)
}

/// Sources of a warehouse.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    /// Those that the warehouse of version 0.1.0 has loaded.
    Before,
    /// All: more songs, and days before, between and after.
    All,
}

/// Writes the sources into a folder.
pub(crate) fn write_sources(folder: &Path, sources: Sources) {
    let data = repository().join("tests/data/fixture");
    let loaded = ["song_data/A", "11-02-", "11-05-", "11-06-", "11-08-"];
    for file in walk(&data) {
        let name = file.strip_prefix(&data).unwrap().to_str().unwrap();
        if sources == Sources::All || loaded.iter().any(|part| name.contains(part)) {
            put(folder, name, std::fs::read(&file).unwrap());
        }
    }
    let day = "2018-11-07-events.json";
    put(folder, &format!("log_data/2018/11/{day}"), std::fs::read(fixture(day)).unwrap());
    for file in walk(folder) {
        let file = std::fs::File::options().write(true).open(file).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + MODIFIED).unwrap();
    }
}

/// Restores the warehouse of version 0.1.0 at `url`, as if its sources were in `folder`.
pub(crate) fn restore(url: &str, folder: &Path) {
    if let Some(path) = url.strip_prefix("duckdb:") {
        let packed = std::fs::File::open(fixture("warehouse.duckdb.zst")).unwrap();
        let mut unpacked = std::fs::File::create(path).unwrap();
        zstd::stream::copy_decode(packed, &mut unpacked).unwrap();
    }
    let mut warehouse = open(url, Access::Write).unwrap();
    if !url.starts_with("duckdb:") {
        let schema = url.split("schema=").nth(1).unwrap_or("public").replace("%20", " ");
        warehouse.execute(&format!("create schema if not exists \"{schema}\"")).unwrap();
        let script = std::fs::read_to_string(fixture(&format!("{}.sql", warehouse.engine())));
        warehouse.execute_all(&split(&script.unwrap())).unwrap();
    }
    let folder = folder.canonicalize().unwrap();
    let moved = format!(
        "update etl_objects set object_key = '{}' || substring(object_key, {}) where object_key like '{SOURCES}/%'",
        folder.display(),
        SOURCES.len() + 1
    );
    warehouse.execute(&moved).unwrap();
}

/// Removes what the migrations add, as in a warehouse of a version between 0.1.0 and 0.2.0.
pub(crate) const UNDO_MIGRATIONS: [&str; 3] = [
    "drop table etl_layout",
    "drop table etl_erasures",
    "alter table etl_objects drop column rows_erased",
];

/// Returns what the catalog says about all tables: types, and what the engine adds to them.
pub(crate) fn catalog(warehouse: &mut dyn Warehouse) -> Vec<String> {
    let columns = warehouse.found_columns().unwrap();
    let mut lines: Vec<String> = columns.into_iter().map(|column| format!("{column:?}")).collect();
    let schema = warehouse.query("select current_schema() as name", &[], 1).unwrap();
    let schema = schema.scalar().unwrap().to_string();
    let queries: &[&str] = match warehouse.engine() {
        "duckdb" => &[
            "select table_name, comment from duckdb_tables()",
            "select table_name, column_name, is_nullable, comment from duckdb_columns() where not internal",
        ],
        "postgres" => &[
            "select c.relname, d.objsubid, d.description from pg_description as d
             join pg_class as c on c.oid = d.objoid
             join pg_namespace as n on n.oid = c.relnamespace where n.nspname = ':schema'",
            "select c.relname, a.attname, a.attnotnull, a.attcollation from pg_attribute as a
             join pg_class as c on c.oid = a.attrelid
             join pg_namespace as n on n.oid = c.relnamespace where n.nspname = ':schema' and a.attnum > 0",
            "select p.proname, p.prosrc from pg_proc as p
             join pg_namespace as n on n.oid = p.pronamespace where n.nspname = ':schema'",
        ],
        _ => &[
            "select c.relname, d.objsubid, d.description from pg_description as d
             join pg_class as c on c.\"oid\" = d.objoid
             join pg_namespace as n on n.\"oid\" = c.relnamespace where n.nspname = ':schema'",
            "select tablename, \"column\", type, encoding, distkey, sortkey, \"notnull\" from pg_table_def
             where schemaname = ':schema'",
            "select table_name, constraint_type, constraint_name from information_schema.table_constraints
             where table_schema = ':schema'",
            "select \"table\", diststyle, sortkey1 from svv_table_info where \"schema\" = ':schema'",
        ],
    };
    for query in queries {
        let query = query.replace(":schema", &schema);
        for row in warehouse.query(&query, &[], usize::MAX).unwrap().rows {
            lines.push(row.iter().map(Value::to_string).collect::<Vec<_>>().join("|"));
        }
    }
    // The lock exists before the transaction of an upgrade, and older versions ignore it.
    lines.retain(|line| !line.contains("etl_lock"));
    lines.sort();
    lines
}

/// Failure of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server refuses the statement; later ones run.
    Refused,
    /// The connection is lost before the statement, as after `kill -9`.
    Killed,
}

/// Connection on which a statement fails.
pub(crate) struct Interrupted<'a> {
    pub inner: Box<dyn Warehouse>,
    fault: Fault,
    /// Number of statements before the fault.
    left: usize,
    /// Called before each statement.
    before_each: Box<dyn FnMut() + 'a>,
    scope: Option<LockScope>,
}

impl<'a> Interrupted<'a> {
    pub(crate) fn after(statements: usize, fault: Fault, mut inner: Box<dyn Warehouse>) -> Self {
        let scope = inner.load_lock().map(|lock| lock.scope());
        Self { inner, fault, left: statements, before_each: Box::new(|| {}), scope }
    }

    /// Returns a connection without a fault that calls a function before each statement.
    pub(crate) fn observed(inner: Box<dyn Warehouse>, before_each: impl FnMut() + 'a) -> Self {
        let unlimited = Self::after(usize::MAX, Fault::Killed, inner);
        Self { before_each: Box::new(before_each), ..unlimited }
    }

    fn next(&mut self) -> Result<&mut dyn Warehouse, WarehouseError> {
        (self.before_each)();
        match (self.left, self.fault) {
            (0, Fault::Refused) => {
                self.left = usize::MAX;
                let message = "refused by the test".into();
                Err(WarehouseError::Statement { message, hint: None })
            }
            (0, Fault::Killed) => {
                let (server, reason) = ("the test".into(), "killed".into());
                Err(WarehouseError::Lost { server, reason })
            }
            (left, _) => {
                self.left = left - 1;
                Ok(self.inner.as_mut())
            }
        }
    }
}

impl Warehouse for Interrupted<'_> {
    fn engine(&self) -> &'static str {
        self.inner.engine()
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.next()?.execute(statement)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        rows: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        self.next()?.query_each(statement, parameters, rows)
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        self.next()?.load(table, source)
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        self.next()?.found_columns()
    }

    fn install(&mut self, rebuild: bool) -> Result<(), WarehouseError> {
        self.next()?.install(rebuild)
    }

    fn functions(&self) -> Vec<String> {
        self.inner.functions()
    }

    fn interrupter(&self) -> Option<Interrupter> {
        self.inner.interrupter()
    }

    fn load_lock(&mut self) -> Option<&mut dyn LoadLock> {
        self.scope.is_some().then_some(self as &mut dyn LoadLock)
    }

    fn statistics(&mut self) -> Option<&mut dyn Statistics> {
        self.inner.statistics()
    }

    fn remote_copy(&mut self) -> Option<&mut dyn RemoteCopy> {
        self.inner.remote_copy()
    }
}

impl LoadLock for Interrupted<'_> {
    fn acquire(&mut self, waiting: &mut dyn FnMut()) -> Result<(), WarehouseError> {
        self.inner.load_lock().map_or(Ok(()), |lock| lock.acquire(waiting))
    }

    fn scope(&self) -> LockScope {
        self.scope.unwrap_or(LockScope::Session)
    }
}
