//! `sparkify erase`: erases a user from the warehouse.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use serde_json::json;

use super::args::Erase;
use super::atomic_file;
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use super::terminal;
use sparkify_analytics::export::{self, ExportOptions};
use sparkify_analytics::report::grouped;
use sparkify_config::Settings;
use sparkify_load::erase::{self, Found, Receipt};
use sparkify_reader::{ErasureKey, Meter};
use sparkify_warehouse::{Access, Warehouse, WarehouseError};

pub(super) fn run(args: &Erase, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    if args.plan {
        let mut warehouse = super::open_loaded(settings, printer)?;
        let found = erase::plan(warehouse.as_mut(), args.user)?;
        printer.result(&json!({ "user": args.user, "found": found }), || text(&found))?;
        printer.note("nothing was changed");
        return Ok(());
    }
    let key = key(settings)?;
    // A wrong folder is noticed before anything is erased.
    let exports: Vec<ExportOptions> =
        args.export.iter().map(|folder| export::options_of(folder)).collect::<Result<_, _>>()?;
    let mut warehouse = super::open_as(settings, Access::Write, printer)?;
    if !args.yes {
        let found = erase::plan(warehouse.as_mut(), args.user)?;
        confirm(args.user, settings, &found)?;
    }
    let meter = std::sync::Arc::<Meter>::default();
    let progress = Progress::watch(&meter, printer);
    let receipt = erase::erase(warehouse.as_mut(), args.user, &key, &meter)?;
    if let Some(file) = &args.receipt {
        write_receipt(file, &receipt)?;
    }
    for options in &exports {
        meter.enter(&format!("export to {}", options.folder.display()));
        export::run(warehouse.as_mut(), options, &mut |_| {})?;
    }
    meter.enter("compact the warehouse");
    compact(warehouse)?;
    progress.end();
    printer.result(&receipt, || text(&receipt.erased))?;
    printer.note(&format!(
        "erased user {}; later loads leave the user out. Not reached: source files, backups, report pages and other exports",
        args.user
    ));
    Ok(())
}

fn key(settings: &Settings) -> Result<ErasureKey, Failure> {
    super::etl::erasure_key(settings).ok_or_else(|| {
        Failure::new(
            "no erasure key is configured",
            "set SPARKIFY_ERASURE_KEY, or ERASURE_KEY in [WAREHOUSE] of dwh.cfg, to a secret such as that of `openssl rand -hex 32`, and keep it: every later load needs it",
        )
    })
}

fn confirm(user: i64, settings: &Settings, found: &Found) -> Result<(), Failure> {
    let events = grouped(found.events);
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            format!(
                "`{}` holds {events} events of user {user}, which this command would erase",
                settings.warehouse
            ),
            "pass `--yes` to confirm, or `--plan` to see the rows",
        ));
    }
    if Printer::confirms(&format!("Erase user {user} with {events} events for good?"))? {
        return Ok(());
    }
    Err(Failure::new("not confirmed: nothing was erased", "answer `y`, or pass `--yes`"))
}

fn write_receipt(file: &Path, receipt: &Receipt) -> Result<(), Failure> {
    atomic_file::write(file, false, |out| {
        serde_json::to_writer_pretty(&mut *out, receipt)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(WarehouseError::Sink)
    })
}

/// Removes the deleted rows from the storage.
fn compact(warehouse: Box<dyn Warehouse>) -> Result<(), Failure> {
    warehouse.compact().map_err(|error| {
        Failure::new(
            format!("the user is erased from all tables, but deleted rows are still in the free space of the storage: {error}"),
            "run the same command again when this is fixed",
        )
    })
}

fn text(found: &Found) -> String {
    let rows = [
        ("staging_events", found.events),
        ("songplays", found.plays),
        ("users", found.users),
        ("user_levels", found.levels),
        ("etl_rejects, bytes", found.rejects),
        ("etl_loads, messages", found.messages),
    ];
    let rows: Vec<_> = rows.map(|(table, rows)| vec![table.to_owned(), grouped(rows)]).into();
    terminal::table(&["table", "rows"], &rows, &[1])
}
