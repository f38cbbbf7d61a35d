//! `sparkify sql`: what the warehouse would be told, without telling it.

use serde::Serialize;

use super::args::Sql;
use super::failure::Failure;
use super::lint;
use super::printer::Printer;
use crate::config::{Settings, suggest};
use crate::warehouse::{self, Opening, SqlFile};
use crate::{
    diff, doctor, export, ledger, model, pipeline, quality, rejects, report, stage, tables, trace,
};

pub(super) fn run(args: &Sql, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    if args.rules {
        return lint::list_rules(printer);
    }
    if args.check {
        return match args.name.as_deref() {
            Some(script) => lint::check_script(script, printer),
            None => lint::check_files(&common_files(), printer),
        };
    }
    let engine = warehouse::engine_of(&settings.warehouse)?;
    let opening = Opening { engine, incremental: args.incremental };
    let all = files(settings)?;
    let chosen: Vec<&SqlFile> = match args.name.as_deref() {
        None => all.clone(),
        Some(name) => {
            let matching: Vec<_> = all.iter().filter(|file| file.name == name).copied().collect();
            if matching.is_empty() {
                let names = all.iter().map(|file| file.name);
                let hint = suggest::hint(name, names, "`sparkify sql` prints them all");
                return Err(Failure::new(format!("no SQL is called `{name}`"), hint));
            }
            matching
        }
    };
    let opened: Vec<Opened> =
        chosen.iter().map(|file| Opened { name: file.name, sql: file.opened(opening) }).collect();
    printer.answer(&opened, || {
        opened.iter().map(|file| file.sql.as_str()).collect::<Vec<_>>().join("\n")
    })
}

/// A file as the warehouse would get it.
#[derive(Serialize)]
struct Opened {
    name: &'static str,
    sql: String,
}

/// Every file, in the order in which a warehouse meets them.
fn files(settings: &Settings) -> Result<Vec<&'static SqlFile>, Failure> {
    let dialect = warehouse::dialect_of(&settings.warehouse)?;
    let direct: &[SqlFile] =
        if warehouse::fetches(&settings.warehouse) { &stage::DIRECT } else { &[] };
    Ok(dialect.iter().chain(common_files()).chain(direct).collect())
}

/// Those of them that every engine gets.
fn common_files() -> Vec<&'static SqlFile> {
    let mut files: Vec<&SqlFile> = tables::DROP.iter().collect();
    files.extend(tables::all().filter(|table| !model::TABLES.iter().any(|t| t.name == table.name)));
    files.extend(ledger::QUERIES.iter().chain(pipeline::STEPS));
    files.extend(model::TABLES.iter().chain(quality::CHECKS).chain(report::QUESTIONS));
    files.extend(rejects::QUERIES.iter().chain(trace::QUERIES).chain(diff::ROWS));
    files.extend(export::TABLES.iter().chain(doctor::STATEMENTS));
    files
}
