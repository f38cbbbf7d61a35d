//! `sparkify transfer`: copies a whole warehouse to another file or engine.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Map, Value as Json, json};

use super::args::Transfer;
use super::etl::cancellable_meter;
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use super::terminal;
use sparkify_analytics::report::grouped;
use sparkify_config::{Flags, Settings};
use sparkify_load::transfer::{self, Transferred};
use sparkify_reader::Meter;
use sparkify_warehouse::Access;

pub(super) fn run(args: &Transfer, flags: Flags, printer: &Printer) -> Result<(), Failure> {
    if flags.warehouse.is_some() {
        return Err(Failure::new(
            "`sparkify transfer` takes its two warehouses as arguments",
            "omit `--warehouse`",
        ));
    }
    let (staging, s3) = (args.staging.clone(), args.s3.flags());
    let flags = Flags { staging, s3, ..flags };
    let with = |url: &String| Flags { warehouse: Some(url.clone()), ..flags.clone() };
    let mut from = super::settings(&with(&args.from), printer)?;
    let mut to = Settings::resolve(&with(&args.to))?;
    if from.warehouse == to.warehouse || is_same_file(&from, &to) {
        return Err(Failure::new(
            format!("`{}` is both the source and the target", to.warehouse),
            "name another warehouse to write",
        ));
    }
    // Both are open at the same time and share the memory limit.
    from.memory /= 2;
    to.memory /= 2;
    let started = Instant::now();
    let meter = cancellable_meter(printer)?;
    // A wrong source leaves no new target.
    drop(super::open_loaded(&from, printer)?);
    let new_file = to.warehouse.file().filter(|file| !file.exists());
    let transferred = copy(&from, &to, args.replace, &meter, printer);
    if let (Err(_), Some(file)) = (&transferred, &new_file) {
        remove(file);
    }
    let transferred = transferred?;
    let seconds = started.elapsed().as_secs_f64();
    let names = [from.warehouse.to_string(), to.warehouse.to_string()];
    printer.result(&document(&names, &transferred, seconds), || text(&transferred))?;
    printer.note(&format!(
        "transferred {} rows to `{}`: each table was read back and compared, {} data tests passed, in {seconds:.1} s",
        grouped(total(&transferred)),
        names[1],
        transferred.data_tests
    ));
    Ok(())
}

/// True if both URLs name one file, which exists.
fn is_same_file(from: &Settings, to: &Settings) -> bool {
    let file = |settings: &Settings| settings.warehouse.file()?.canonicalize().ok();
    file(from).is_some_and(|from| file(to) == Some(from))
}

/// Runs the transfer and closes the target: a `DuckDB` file is complete only then.
fn copy(
    from: &Settings,
    to: &Settings,
    replace: bool,
    meter: &std::sync::Arc<Meter>,
    printer: &Printer,
) -> Result<Transferred, Failure> {
    let mut target = super::open(to, Access::Write, printer)?;
    let open_source = || super::connect::open(from, Access::Read);
    let progress = Progress::watch(meter, printer);
    let transferred = transfer::transfer(&open_source, target.as_mut(), replace, meter);
    progress.end();
    Ok(transferred?)
}

/// Removes a file that this command created, with its log.
fn remove(file: &Path) {
    let log = PathBuf::from(format!("{}.wal", file.display()));
    for path in [file, &log] {
        if let Err(error) = std::fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::debug!("cannot remove `{}`: {error}", path.display());
        }
    }
}

fn total(transferred: &Transferred) -> u64 {
    transferred.tables.iter().map(|(_, rows)| rows).sum()
}

fn text(transferred: &Transferred) -> String {
    let row = |(table, rows): &(&str, u64)| vec![(*table).to_owned(), grouped(*rows)];
    let rows: Vec<_> = transferred.tables.iter().map(row).collect();
    terminal::table(&["table", "rows"], &rows, &[1])
}

fn document(names: &[String; 2], transferred: &Transferred, seconds: f64) -> Json {
    let tables = transferred.tables.iter();
    json!({
        "from": names[0],
        "to": names[1],
        "tables": tables.map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect::<Map<_, _>>(),
        "rows": total(transferred),
        "data_tests": transferred.data_tests,
        "seconds": seconds,
    })
}
