//! `sparkify sql`: prints the SQL files as the warehouse gets them.

use serde::Serialize;

use super::args::Sql;
use super::failure::Failure;
use super::lint;
use super::printer::Printer;
use crate::connect;
use sparkify_analytics::sql as analytics_sql;
use sparkify_config::{Settings, suggest};
use sparkify_load::sql as load_sql;
use sparkify_warehouse::{Bounds, Opening, SqlFile};

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
    let engine = connect::engine_of(&settings.warehouse)?;
    let opening = Opening { engine, incremental: args.incremental };
    let all = files(settings)?;
    let chosen: Vec<&SqlFile> = match args.name.as_deref() {
        None => all.clone(),
        Some(name) => {
            let matching: Vec<_> = all.iter().filter(|file| file.name == name).copied().collect();
            if matching.is_empty() {
                let names = all.iter().map(|file| file.name);
                let hint = suggest::hint(name, names, "run `sparkify sql` to print all SQL files");
                return Err(Failure::new(format!("unknown SQL file `{name}`"), hint));
            }
            matching
        }
    };
    let bounds = Bounds::example();
    let render =
        |file: &&SqlFile| RenderedFile { name: file.name, sql: bounds.fill(&file.opened(opening)) };
    let rendered: Vec<RenderedFile> = chosen.iter().map(render).collect();
    printer.result(&rendered, || {
        rendered.iter().map(|file| file.sql.as_str()).collect::<Vec<_>>().join("\n")
    })
}

/// A SQL file with its conditional comments resolved.
#[derive(Serialize)]
struct RenderedFile {
    name: &'static str,
    sql: String,
}

/// Returns every file for the configured engine, in execution order.
fn files(settings: &Settings) -> Result<Vec<&'static SqlFile>, Failure> {
    let mut files = connect::dialect_of(&settings.warehouse)?;
    files.extend(common_files());
    files.extend(load_sql::describe::ALL.iter().chain(load_sql::explain::ALL));
    if settings.warehouse.scheme() == "redshift" {
        files.extend(sparkify_load::staging::direct::STEPS.iter());
    }
    Ok(files)
}

/// Returns the files that every engine gets.
fn common_files() -> Vec<&'static SqlFile> {
    let mut files: Vec<&SqlFile> = load_sql::ledger::ALL.iter().collect();
    files.extend(sparkify_reader::stage::ALL);
    files.extend(load_sql::upgrade::ALL);
    let quality = [load_sql::screen::ALL, load_sql::quality::ALL];
    for files_of in [load_sql::load::ALL, load_sql::model::ALL].into_iter().chain(quality) {
        files.extend(files_of);
    }
    files.extend(analytics_sql::report::ALL.iter().chain(analytics_sql::page::ALL));
    files.extend(load_sql::rejects::ALL.iter().chain(load_sql::trace::ALL));
    files.extend(load_sql::transfer::ALL.iter().chain(load_sql::erase::ALL));
    files.extend(analytics_sql::export::ALL);
    files.extend(analytics_sql::filter::ALL.iter());
    files.extend(load_sql::doctor::ALL);
    files
}
