//! How do the tables leave the warehouse? As a folder of files, one a table, that is there whole or not at all.
//!
//! The files are those of one moment: one connection reads them all. Rows stand in an order of their own, so that the same tables give the same
//! files. [`place`] knows how a folder is replaced; what a row looks like in a form is `report`'s.

mod place;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::report::{self, Format, Writer};
use sparkify_warehouse::{Opening, ResultType, RowSink, SqlFile, Value, Warehouse, WarehouseError};

use place::Place;

/// What is read of each table of the model, in which order.
pub const TABLES: &[SqlFile] = crate::sql::export::ALL;

/// The file that says of a folder that it is an export. Readers of such folders pass over names that start so.
pub const MANIFEST: &str = "_sparkify.json";

/// What to export.
#[derive(Debug)]
pub struct Request {
    /// The folder that is made, or replaced.
    pub folder: PathBuf,
    /// `Parquet`, `Csv` or `Lines`.
    pub format: Format,
    /// Some of [`TABLES`].
    pub tables: Vec<&'static SqlFile>,
    /// Whether a folder that is no export may be replaced.
    pub force: bool,
    /// A file that must not go with a folder that is replaced: the warehouse's own.
    pub keep: Option<PathBuf>,
}

/// What an export is, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the program that made it.
    pub sparkify: String,
    /// `parquet`, `csv` or `json`.
    pub format: String,
    /// Its files.
    pub files: Vec<Exported>,
}

/// One file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The table.
    pub table: String,
    /// The file's name.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// Why there is no export. Whatever lay at its place lies there still.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The folder holds something that no export made.
    #[error("`{}` is not an export of ours: {found}", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        found: String,
    },
    /// What is there cannot be replaced at all.
    #[error("cannot export to `{}`: {reason}", folder.display())]
    Unfit {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// Another export is being written beside it.
    #[error("another export is being written beside `{}`", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The files could not be written.
    #[error("cannot write the export `{}`", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The warehouse could not be read.
    #[error(transparent)]
    Warehouse(WarehouseError),
}

impl ExportError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Foreign { .. } => "name another folder, or replace it with `--force`".into(),
            Self::Unfit { hint, .. } => (*hint).into(),
            Self::Busy { .. } => "wait until it is done, or name a folder elsewhere".into(),
            Self::Io { .. } => {
                "name a folder in one that is there, may be written and has space".into()
            }
            Self::Warehouse(error) => return error.hint(),
        })
    }
}

/// The ending of a form's files, which is its name as well.
pub fn ending(format: Format) -> &'static str {
    match format {
        Format::Parquet => "parquet",
        Format::Csv => "csv",
        Format::Lines | Format::Json => "json",
        Format::Table => "txt",
        Format::Markdown => "md",
    }
}

/// Writes the tables to a folder beside the one that is meant, and puts it in its place.
pub fn run(warehouse: &mut dyn Warehouse, request: &Request) -> Result<Manifest, ExportError> {
    let place = Place::prepare(&request.folder, request.force, request.keep.as_deref())?;
    let io = |source| ExportError::Io { folder: request.folder.clone(), source };
    let mut files = Vec::new();
    for table in &request.tables {
        tracing::info!("{}", table.name);
        let exported = export(warehouse, table, request.format, place.folder());
        files.push(exported.map_err(|error| match error {
            WarehouseError::Sink(source) => io(source),
            other => ExportError::Warehouse(other),
        })?);
    }
    let (sparkify, format) = (env!("CARGO_PKG_VERSION").into(), ending(request.format).into());
    let manifest = Manifest { sparkify, format, files };
    write_manifest(&manifest, place.folder()).map_err(io)?;
    place.publish()?;
    Ok(manifest)
}

fn export(
    warehouse: &mut dyn Warehouse,
    table: &SqlFile,
    format: Format,
    folder: &Path,
) -> Result<Exported, WarehouseError> {
    let name = format!("{}.{}", table.name, ending(format));
    let mut file = File::create_new(folder.join(&name)).map_err(WarehouseError::Sink)?;
    let rows = {
        let mut out = BufWriter::with_capacity(1 << 20, &mut file);
        let mut writer = Counted { writer: report::writer(format, &mut out), rows: 0 };
        let statement = table.statement(Opening::full(warehouse.engine()));
        warehouse.query_each(&statement, &[], &mut writer)?;
        writer.writer.finish()?;
        writer.rows
    };
    let bytes = finished(&file).map_err(WarehouseError::Sink)?;
    Ok(Exported { table: table.name.into(), file: name, rows, bytes })
}

/// The size of a file that is on the disk now.
fn finished(file: &File) -> io::Result<u64> {
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

/// Counts the rows on their way.
struct Counted<'a> {
    writer: Box<dyn Writer + 'a>,
    rows: u64,
}

impl RowSink for Counted<'_> {
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
