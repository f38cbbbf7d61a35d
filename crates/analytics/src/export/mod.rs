//! Export of the model tables to a folder, one file per table, replaced atomically.
//!
//! One connection reads all tables, so the files are one snapshot. Rows are sorted: equal tables
//! produce equal files. [`atomic`] replaces the folder; `report` writes the formats.

mod atomic;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::report::{self, Format, Writer, WriterOptions};
use sparkify_warehouse::{Opening, ResultType, RowSink, SqlFile, Value, Warehouse, WarehouseError};

use atomic::AtomicFolder;

/// Query of each table of the model, with its row order.
pub const TABLES: &[SqlFile] = crate::sql::export::ALL;

/// Manifest file, which marks a folder as an export. Spark and Hive ignore names that start with
/// an underscore.
pub const MANIFEST: &str = "_sparkify.json";

/// Options of an export.
#[derive(Debug)]
pub struct ExportOptions {
    /// Folder to create or replace.
    pub folder: PathBuf,
    /// `Parquet`, `Csv` or `Lines`.
    pub format: Format,
    /// CSV: prefixes text that a spreadsheet would run as a formula.
    pub escape_formulas: bool,
    /// Subset of [`TABLES`].
    pub tables: Vec<&'static SqlFile>,
    /// True if a folder that is not an export may be replaced.
    pub force: bool,
    /// File that must not be deleted with a replaced folder: the `DuckDB` file.
    pub keep: Option<PathBuf>,
}

/// Content of the manifest file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of sparkify that wrote the export.
    pub sparkify: String,
    /// `parquet`, `csv` or `json`.
    pub format: String,
    /// True if text that a spreadsheet would run as a formula was prefixed.
    #[serde(default)]
    pub escape_formulas: bool,
    /// Data files, in the order of the tables.
    pub files: Vec<Exported>,
}

/// Data file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Name of the exported table.
    pub table: String,
    /// File name in the folder.
    pub file: String,
    /// Number of rows.
    pub rows: u64,
    /// File size.
    pub bytes: u64,
}

/// Errors of an export. The previous content of the folder is kept on every error.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The folder holds files that no export wrote.
    #[error("`{}` is not an export of sparkify: {found}", folder.display())]
    Foreign {
        /// Target folder.
        folder: PathBuf,
        /// Unexpected content of the folder.
        found: String,
    },
    /// The path cannot be replaced, even with `--force`.
    #[error("cannot export to `{}`: {reason}", folder.display())]
    InvalidTarget {
        /// Target folder.
        folder: PathBuf,
        /// Reason in plain text.
        reason: &'static str,
        /// Next action for the user.
        hint: &'static str,
    },
    /// Another export to the same parent folder is running.
    #[error("another export to the parent folder of `{}` is running", folder.display())]
    Busy {
        /// Target folder.
        folder: PathBuf,
    },
    /// Writing the files failed.
    #[error("cannot write the export `{}`", folder.display())]
    Io {
        /// Target folder.
        folder: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Reading the warehouse failed.
    #[error(transparent)]
    Warehouse(WarehouseError),
}

impl ExportError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Foreign { .. } => "give another folder, or replace it with `--force`".into(),
            Self::InvalidTarget { hint, .. } => (*hint).into(),
            Self::Busy { .. } => "wait for it, or export to another parent folder".into(),
            Self::Io { .. } => {
                "check that the parent folder exists, is writable and has free space".into()
            }
            Self::Warehouse(error) => return error.hint(),
        })
    }
}

/// Returns the file extension of a format, which is also its name in the manifest.
pub fn extension(format: Format) -> &'static str {
    match format {
        Format::Parquet => "parquet",
        Format::Csv => "csv",
        Format::Lines | Format::Json => "json",
        Format::Table => "txt",
        Format::Markdown => "md",
    }
}

/// Returns the options that replace an existing export with the same tables in the same format.
///
/// # Errors
/// If the folder is not an export.
pub fn options_of(folder: &Path) -> Result<ExportOptions, ExportError> {
    let foreign = |found: String| ExportError::Foreign { folder: folder.into(), found };
    let text = std::fs::read(folder.join(MANIFEST));
    let text = text.map_err(|_| foreign(format!("it has no `{MANIFEST}`")))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| foreign(format!("its `{MANIFEST}` is invalid: {error}")))?;
    let formats = [Format::Parquet, Format::Csv, Format::Lines];
    let format = formats.into_iter().find(|format| extension(*format) == manifest.format);
    let table = |file: &Exported| {
        let found = TABLES.iter().find(|table| table.name == file.table);
        found.ok_or_else(|| foreign(format!("its table `{}` is unknown", file.table)))
    };
    Ok(ExportOptions {
        folder: folder.into(),
        format: format.ok_or_else(|| foreign("its format is unknown".into()))?,
        escape_formulas: manifest.escape_formulas,
        tables: manifest.files.iter().map(table).collect::<Result<_, _>>()?,
        force: false,
        keep: None,
    })
}

/// Writes the tables to a temporary folder, then replaces the target folder with it. `on_table` is
/// called with the name of each table before it is exported.
pub fn run(
    warehouse: &mut dyn Warehouse,
    options: &ExportOptions,
    on_table: &mut dyn FnMut(&str),
) -> Result<Manifest, ExportError> {
    let target = AtomicFolder::prepare(&options.folder, options.force, options.keep.as_deref())?;
    let io = |source| ExportError::Io { folder: options.folder.clone(), source };
    let mut files = Vec::new();
    for table in &options.tables {
        on_table(table.name);
        let exported = export(warehouse, table, options, target.folder());
        files.push(exported.map_err(|error| match error {
            WarehouseError::Sink(source) => io(source),
            other => ExportError::Warehouse(other),
        })?);
    }
    let (sparkify, format) = (env!("CARGO_PKG_VERSION").into(), extension(options.format).into());
    let manifest = Manifest { sparkify, format, escape_formulas: options.escape_formulas, files };
    write_manifest(&manifest, target.folder()).map_err(io)?;
    target.publish()?;
    Ok(manifest)
}

fn export(
    warehouse: &mut dyn Warehouse,
    table: &SqlFile,
    options: &ExportOptions,
    folder: &Path,
) -> Result<Exported, WarehouseError> {
    let name = format!("{}.{}", table.name, extension(options.format));
    let escape_formulas = options.escape_formulas;
    let writer_options = WriterOptions { escape_formulas, ..WriterOptions::default() };
    let mut file = File::create_new(folder.join(&name)).map_err(WarehouseError::Sink)?;
    let rows = {
        let mut out = BufWriter::with_capacity(1 << 20, &mut file);
        let writer = report::writer(options.format, writer_options, &mut out);
        let mut writer = CountingWriter { writer, rows: 0 };
        let statement = table.statement(Opening::full(warehouse.engine()));
        warehouse.query_each(&statement, &[], &mut writer)?;
        writer.writer.finish()?;
        writer.rows
    };
    let bytes = sync_size(&file).map_err(WarehouseError::Sink)?;
    Ok(Exported { table: table.name.into(), file: name, rows, bytes })
}

/// Syncs a file to disk and returns its size.
fn sync_size(file: &File) -> io::Result<u64> {
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn write_manifest(manifest: &Manifest, folder: &Path) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(manifest)?;
    text.push(b'\n');
    let path = folder.join(MANIFEST);
    std::fs::write(&path, text)?;
    File::open(path)?.sync_all()
}

/// Row sink that counts the rows and passes them on.
struct CountingWriter<'a> {
    writer: Box<dyn Writer + 'a>,
    rows: u64,
}

impl RowSink for CountingWriter<'_> {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.writer.types(types)
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.writer.start(columns)
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.rows += 1;
        self.writer.row(row)
    }
}
