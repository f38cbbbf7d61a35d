//! Execution of a COPY: converts each record of the files to a row or an error.
//!
//! The load fails when the number of errors reaches MAXERROR; 0 and 1 both mean the first error
//! (DG/copy-parameters-data-load.html). Regardless of MAXERROR, an object of more than 4 MB, an
//! unreadable file and invalid JSONPaths fail the load. A failed load returns no rows.

use super::convert::{ValueError, convert, document, value_error};
use super::json::{Body, Item, MAX_RECORD_BYTES, Records, Value};
use super::paths::{Path, paths};
use super::source::Entry;
use super::statement::{CopyStatement, JsonFormat};
use super::{
    Column, ColumnType, LoadError, LoadFailure, Loaded, ObjectReader, ScannedFile, source,
};

/// Mapping of a record to columns.
enum Mapping {
    /// Keys match column names.
    Names { ignore_case: bool },
    /// JSONPaths by position.
    Paths(Vec<Path>),
    /// The whole document is the value of one SUPER column.
    Document,
}

/// Runs a COPY into a table with these columns.
pub fn execute(
    copy: &CopyStatement,
    columns: &[Column],
    objects: &dyn ObjectReader,
) -> Result<Loaded, LoadFailure> {
    let targets = targets(copy, columns)?;
    let mapping = mapping(copy, &targets, objects)?;
    let mut load = Load { copy, targets, mapping, loaded: Loaded::default(), file: String::new() };
    load.loaded.columns = load.targets.iter().map(|column| column.name.clone()).collect();
    let entries = source::entries(copy, objects)?;
    for entry in entries {
        if let Err(mut failure) = load.load_entry(entry, objects) {
            failure.errors = load.loaded.errors;
            failure.started = !load.loaded.files.is_empty();
            failure.files = load.loaded.files;
            return Err(failure);
        }
    }
    if load.loaded.files.is_empty() {
        return Err(LoadFailure::new("no files of the manifest were found".to_owned()));
    }
    Ok(load.finish())
}

/// Returns the columns to fill, in the order of the statement.
fn targets<'c>(
    copy: &CopyStatement,
    columns: &'c [Column],
) -> Result<Vec<&'c Column>, LoadFailure> {
    let Some(list) = &copy.columns else { return Ok(columns.iter().collect()) };
    let find = |name: &String| {
        let missing = || {
            let message =
                format!("column \"{name}\" of relation \"{}\" does not exist", copy.table);
            LoadFailure { sqlstate: "42703", ..LoadFailure::new(message) }
        };
        columns.iter().find(|column| column.name == *name).ok_or_else(missing)
    };
    list.iter().map(find).collect()
}

fn mapping(
    copy: &CopyStatement,
    targets: &[&Column],
    objects: &dyn ObjectReader,
) -> Result<Mapping, LoadFailure> {
    Ok(match copy.options.json.as_ref().unwrap_or(&JsonFormat::Auto) {
        JsonFormat::Auto => Mapping::Names { ignore_case: false },
        JsonFormat::AutoIgnoreCase => Mapping::Names { ignore_case: true },
        JsonFormat::NoShred => match targets {
            [column] if column.column_type == ColumnType::Super => Mapping::Document,
            _ => {
                return Err(LoadFailure::new(
                    "'noshred' loads into a single SUPER column".to_owned(),
                ));
            }
        },
        JsonFormat::Paths(url) => {
            let invalid = |reason: String| {
                LoadFailure::new(format!("The JSONPaths file '{url}' is not valid: {reason}"))
            };
            let file = objects.get(url).map_err(|error| invalid(error.to_string()))?;
            let paths = paths(&file)
                .map_err(|reason| invalid(format!("Invalid JSONPath format: {reason}")))?;
            match paths {
                None => Mapping::Names { ignore_case: false },
                Some(paths) if paths.len() != targets.len() => {
                    let (paths, columns) = (paths.len(), targets.len());
                    return Err(LoadFailure::new(format!(
                        "Number of jsonpaths and the number of columns should match. JSONPath size: {paths}, \
                         Number of columns in table or column list: {columns}"
                    )));
                }
                Some(paths) => Mapping::Paths(paths),
            }
        }
    })
}

struct Load<'c> {
    copy: &'c CopyStatement,
    targets: Vec<&'c Column>,
    mapping: Mapping,
    loaded: Loaded,
    /// URL of the current file.
    file: String,
}

impl Load<'_> {
    fn load_entry(&mut self, entry: Entry, objects: &dyn ObjectReader) -> Result<(), LoadFailure> {
        let Some((content, size)) = source::read(&entry, self.copy.options.compression, objects)?
        else {
            return Ok(());
        };
        self.loaded.files.push(ScannedFile { url: entry.url.clone(), bytes: size });
        self.file = entry.url;
        if self.copy.options.parquet {
            return self.load_parquet(&content, objects);
        }
        self.load_file(&content)
    }

    /// Loads a Parquet file: values by the position of their column, each file with as many columns as
    /// the table (DG/copy-usage_notes-copy-from-columnar.html). PostgreSQL converts the values.
    fn load_parquet(
        &mut self,
        content: &[u8],
        objects: &dyn ObjectReader,
    ) -> Result<(), LoadFailure> {
        let file = &self.file;
        let rows = objects
            .parquet(content)
            .map_err(|error| LoadFailure::new(format!("'{file}' cannot be read: {error}")))?;
        let columns = self.targets.len();
        if let Some(row) = rows.iter().find(|row| row.len() != columns) {
            let found = row.len();
            return Err(LoadFailure::new(format!(
                "Spectrum Scan Error: '{file}' has {found} columns, the table has {columns}"
            )));
        }
        self.loaded.rows.extend(rows);
        Ok(())
    }

    fn load_file(&mut self, content: &[u8]) -> Result<(), LoadFailure> {
        for item in Records::new(content, self.copy.options.ignore_header) {
            match item {
                Item::Record { value, line } => self.load_record(&value, line)?,
                Item::Invalid { raw, line, message } => {
                    self.add_error(raw, line, None, value_error(1216, message.to_owned()))?;
                }
                Item::TooLarge { line } => {
                    return Err(LoadFailure::new(format!(
                        "the JSON object of '{}' that ends in line {line} exceeds the maximum size of 4 MB",
                        self.file
                    )));
                }
            }
        }
        Ok(())
    }

    fn load_record(&mut self, value: &Value<'_>, line: i64) -> Result<(), LoadFailure> {
        match self.row(value) {
            Ok(row) if row_size(&row) > MAX_RECORD_BYTES => {
                let file = &self.file;
                Err(LoadFailure::new(format!(
                    "the row of line {line} of '{file}' exceeds the maximum size of 4 MB"
                )))
            }
            Ok(row) => {
                self.loaded.loaded_bytes +=
                    row.iter().flatten().map(|text| text.len() as u64).sum::<u64>();
                self.loaded.rows.push(row);
                Ok(())
            }
            Err((column, error)) => self.add_error(value.raw, line, column, error),
        }
    }

    /// Converts a record to a row, or returns the first error with the index of its column.
    fn row(&self, record: &Value<'_>) -> Result<Vec<Option<String>>, (Option<usize>, ValueError)> {
        let is_object = matches!(record.body, Body::Object(_));
        if matches!(self.mapping, Mapping::Names { .. }) && !is_object {
            return Err((
                None,
                value_error(1216, "Invalid JSONPath format: Member is not an object.".to_owned()),
            ));
        }
        if matches!(self.mapping, Mapping::Document) {
            return document(record).map(|text| vec![text]).map_err(|error| (Some(0), error));
        }
        let field = |(at, column): (usize, &&Column)| {
            let value = match &self.mapping {
                Mapping::Paths(paths) => paths[at]
                    .find(record)
                    .map_err(|message| (Some(at), value_error(1216, message.to_owned())))?,
                Mapping::Names { ignore_case } => {
                    member_for_column(record, &column.name, *ignore_case)
                }
                Mapping::Document => Some(record),
            };
            convert(value, column, &self.copy.options).map_err(|error| (Some(at), error))
        };
        self.targets.iter().enumerate().map(field).collect()
    }

    /// Adds an error; fails if the number of errors reaches MAXERROR.
    fn add_error(
        &mut self,
        raw: &[u8],
        line: i64,
        column: Option<usize>,
        error: ValueError,
    ) -> Result<(), LoadFailure> {
        let column = column.map(|at| self.targets[at]);
        self.loaded.errors.push(LoadError {
            file_name: self.file.clone(),
            line_number: line,
            column_name: column.map(|column| column.name.clone()).unwrap_or_default(),
            column_type: column
                .map(|column| column.column_type.name().to_owned())
                .unwrap_or_default(),
            column_length: column.map(|column| column.column_type.length()).unwrap_or_default(),
            position: i64::try_from(error.position).unwrap_or(0),
            error_code: error.code,
            error_message: error.message,
            raw_line: String::from_utf8_lossy(raw).into_owned(),
        });
        let count = self.loaded.errors.len() as u64;
        if self.copy.options.ignore_all_errors || count < self.copy.options.max_error {
            Ok(())
        } else {
            Err(self.too_many_errors())
        }
    }

    fn too_many_errors(&self) -> LoadFailure {
        let (table, action) =
            (&self.copy.table, if self.copy.options.no_load { "Parse of" } else { "Load into" });
        LoadFailure::new(format!(
            "{action} table '{table}' failed.  Check 'sys_load_error_detail' system table for details."
        ))
    }

    /// Adds the notices and the number of rows; NOLOAD discards the rows.
    fn finish(mut self) -> Loaded {
        let table = &self.copy.table;
        let (rows, errors) = (self.loaded.rows.len(), self.loaded.errors.len());
        self.loaded.notices = if self.copy.options.no_load {
            self.loaded.rows.clear();
            vec![format!(
                "Load into table '{table}' completed, {rows} record(s) parsed successfully, and none loaded."
            )]
        } else {
            vec![format!(
                "Load into table '{table}' completed, {rows} record(s) loaded successfully."
            )]
        };
        if errors > 0 {
            self.loaded.notices.push(format!(
                "Load into table '{table}' completed, {errors} record(s) could not be loaded.  Check \
                 'sys_load_error_detail' system table for details."
            ));
        }
        self.loaded.loaded_rows = self.loaded.rows.len() as u64;
        self.loaded
    }
}

/// Finds the last member whose key matches a column name.
fn member_for_column<'v, 'a>(
    record: &'v Value<'a>,
    name: &str,
    ignore_case: bool,
) -> Option<&'v Value<'a>> {
    if !ignore_case {
        return record.member(name.as_bytes());
    }
    let Body::Object(members) = &record.body else { return None };
    let matches = |key: &[u8]| String::from_utf8_lossy(key).to_lowercase() == name.to_lowercase();
    members.iter().rev().find(|(key, _)| matches(key)).map(|(_, value)| value)
}

/// Returns the size of a row, in which pipes count twice (DG/copy-parameters-data-format.html).
fn row_size(row: &[Option<String>]) -> usize {
    let size = |text: &String| text.len() + text.bytes().filter(|byte| *byte == b'|').count();
    row.iter().flatten().map(size).sum()
}
