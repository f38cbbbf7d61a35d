//! A COPY, carried out: the files in order, record by record, row or error.
//!
//! The load fails at the count of errors that MAXERROR names, 0 and 1 being the first (DG/copy-parameters-data-load.html), and at once on what no count
//! allows: an object of more than 4 MB, a file that cannot be read, JSONPaths that are wrong. A failed load gives no row at all.

use super::convert::{Bad, bad, document, field};
use super::json::{Body, LARGEST, Piece, Pieces, Value};
use super::paths::{Path, paths};
use super::source::Entry;
use super::statement::{Copy, Shape};
use super::{Column, Failure, Kind, LoadError, Loaded, Objects, Scanned, source};

/// How a record fills its columns.
enum Plan {
    /// By names, and whether their case counts.
    Names {
        folds: bool,
    },
    Paths(Vec<Path>),
    Whole,
}

/// Carries out a statement on a table with these columns.
pub fn execute(copy: &Copy, columns: &[Column], objects: &dyn Objects) -> Result<Loaded, Failure> {
    let targets = targets(copy, columns)?;
    let plan = plan(copy, &targets, objects)?;
    let mut load = Load { copy, targets, plan, loaded: Loaded::default(), file: String::new() };
    load.loaded.columns = load.targets.iter().map(|column| column.name.clone()).collect();
    let entries = source::entries(copy, objects)?;
    for entry in entries {
        if let Err(mut failure) = load.entry(entry, objects) {
            failure.errors = load.loaded.errors;
            failure.started = !load.loaded.files.is_empty();
            failure.files = load.loaded.files;
            return Err(failure);
        }
    }
    if load.loaded.files.is_empty() {
        return Err(Failure::refused("no files were found that the manifest lists".to_owned()));
    }
    Ok(load.finish())
}

/// The columns that are filled, in the order of the statement.
fn targets<'c>(copy: &Copy, columns: &'c [Column]) -> Result<Vec<&'c Column>, Failure> {
    let Some(list) = &copy.columns else { return Ok(columns.iter().collect()) };
    let find = |name: &String| {
        let missing = || {
            let message =
                format!("column \"{name}\" of relation \"{}\" does not exist", copy.table);
            Failure { sqlstate: "42703", ..Failure::refused(message) }
        };
        columns.iter().find(|column| column.name == *name).ok_or_else(missing)
    };
    list.iter().map(find).collect()
}

fn plan(copy: &Copy, targets: &[&Column], objects: &dyn Objects) -> Result<Plan, Failure> {
    Ok(match copy.options.shape.as_ref().unwrap_or(&Shape::Auto) {
        Shape::Auto => Plan::Names { folds: false },
        Shape::AutoIgnoreCase => Plan::Names { folds: true },
        Shape::NoShred => match targets {
            [column] if column.kind == Kind::Super => Plan::Whole,
            _ => {
                return Err(Failure::refused(
                    "'noshred' loads into a single SUPER column".to_owned(),
                ));
            }
        },
        Shape::Paths(url) => {
            let wrong = |why: String| {
                Failure::refused(format!("The JSONPaths file '{url}' is not valid: {why}"))
            };
            let file = objects.get(url).map_err(|error| wrong(error.to_string()))?;
            match paths(&file).map_err(|why| wrong(format!("Invalid JSONPath format: {why}")))? {
                None => Plan::Names { folds: false },
                Some(paths) if paths.len() != targets.len() => {
                    let (paths, columns) = (paths.len(), targets.len());
                    return Err(Failure::refused(format!(
                        "Number of jsonpaths and the number of columns should match. JSONPath size: {paths}, \
                         Number of columns in table or column list: {columns}"
                    )));
                }
                Some(paths) => Plan::Paths(paths),
            }
        }
    })
}

struct Load<'c> {
    copy: &'c Copy,
    targets: Vec<&'c Column>,
    plan: Plan,
    loaded: Loaded,
    file: String,
}

impl Load<'_> {
    fn entry(&mut self, entry: Entry, objects: &dyn Objects) -> Result<(), Failure> {
        let Some((plain, size)) = source::read(&entry, self.copy.options.compression, objects)?
        else {
            return Ok(());
        };
        self.loaded.files.push(Scanned { url: entry.url.clone(), bytes: size });
        self.file = entry.url;
        self.file(&plain)
    }

    fn file(&mut self, plain: &[u8]) -> Result<(), Failure> {
        for piece in Pieces::new(plain, self.copy.options.ignore_header) {
            match piece {
                Piece::Record { value, line } => self.record(&value, line)?,
                Piece::Damage { raw, line, message } => {
                    self.error(raw, line, None, bad(1216, message.to_owned()))?;
                }
                Piece::TooLarge { line } => {
                    return Err(Failure::refused(format!(
                        "a JSON object of '{}', which ends in line {line}, exceeds the maximum size of 4 MB",
                        self.file
                    )));
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, value: &Value<'_>, line: i64) -> Result<(), Failure> {
        match self.row(value) {
            Ok(row) if size(&row) > LARGEST => {
                let file = &self.file;
                Err(Failure::refused(format!(
                    "the row of line {line} of '{file}' exceeds the maximum size of 4 MB"
                )))
            }
            Ok(row) => {
                self.loaded.loaded_bytes +=
                    row.iter().flatten().map(|text| text.len() as u64).sum::<u64>();
                self.loaded.rows.push(row);
                Ok(())
            }
            Err((column, wrong)) => self.error(value.raw, line, column, wrong),
        }
    }

    /// The row, or the first column that does not bear its value.
    fn row(&self, record: &Value<'_>) -> Result<Vec<Option<String>>, (Option<usize>, Bad)> {
        let is_object = matches!(record.body, Body::Object(_));
        if matches!(self.plan, Plan::Names { .. }) && !is_object {
            return Err((
                None,
                bad(1216, "Invalid JSONPath format: Member is not an object.".to_owned()),
            ));
        }
        if matches!(self.plan, Plan::Whole) {
            return document(record).map(|text| vec![text]).map_err(|wrong| (Some(0), wrong));
        }
        let field = |(at, column): (usize, &&Column)| {
            let value = match &self.plan {
                Plan::Paths(paths) => paths[at]
                    .find(record)
                    .map_err(|message| (Some(at), bad(1216, message.to_owned())))?,
                Plan::Names { folds } => named(record, &column.name, *folds),
                Plan::Whole => Some(record),
            };
            field(value, column, &self.copy.options).map_err(|wrong| (Some(at), wrong))
        };
        self.targets.iter().enumerate().map(field).collect()
    }

    fn error(
        &mut self,
        raw: &[u8],
        line: i64,
        column: Option<usize>,
        wrong: Bad,
    ) -> Result<(), Failure> {
        let column = column.map(|at| self.targets[at]);
        self.loaded.errors.push(LoadError {
            file_name: self.file.clone(),
            line_number: line,
            column_name: column.map(|column| column.name.clone()).unwrap_or_default(),
            column_type: column.map(|column| column.kind.name().to_owned()).unwrap_or_default(),
            column_length: column.map(|column| column.kind.length()).unwrap_or_default(),
            position: i64::try_from(wrong.position).unwrap_or(0),
            error_code: wrong.code,
            error_message: wrong.message,
            raw_line: String::from_utf8_lossy(raw).into_owned(),
        });
        let allowed = self.copy.options.max_error;
        let count = self.loaded.errors.len() as u64;
        if self.copy.options.ignore_all_errors || count < allowed {
            Ok(())
        } else {
            Err(self.failed())
        }
    }

    fn failed(&self) -> Failure {
        let (table, action) =
            (&self.copy.table, if self.copy.options.no_load { "Parse of" } else { "Load into" });
        Failure::refused(format!(
            "{action} table '{table}' failed.  Check 'sys_load_error_detail' system table for details."
        ))
    }

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

/// A member by a column's name: of several the last.
fn named<'v, 'a>(record: &'v Value<'a>, name: &str, folds: bool) -> Option<&'v Value<'a>> {
    if !folds {
        return record.member(name.as_bytes());
    }
    let Body::Object(members) = &record.body else { return None };
    let is_it = |key: &[u8]| String::from_utf8_lossy(key).to_lowercase() == name.to_lowercase();
    members.iter().rev().find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

/// A row's size: pipes count twice (DG/copy-parameters-data-format.html).
fn size(row: &[Option<String>]) -> usize {
    let of = |text: &String| text.len() + text.bytes().filter(|byte| *byte == b'|').count();
    row.iter().flatten().map(of).sum()
}
