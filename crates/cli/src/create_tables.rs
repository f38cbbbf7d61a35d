//! `sparkify create-tables`: drops and creates all tables.

use std::io::{self, IsTerminal};

use super::args::CreateTables;
use super::failure::Failure;
use super::printer::{Output, Printer};
use sparkify_config::Settings;
use sparkify_load::{pipeline, tables};
use sparkify_warehouse::{Access, WarehouseError};

pub(super) fn run(
    args: &CreateTables,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let mut warehouse = super::open(settings, Access::Write, printer)?;
    let held = tables::stored_rows(warehouse.as_mut()).map_err(refused)?;
    if held > 0 && !args.yes {
        confirm(settings, held)?;
    }
    pipeline::recreate(warehouse.as_mut(), &printer.meter())?;
    let names: Vec<&str> = tables::all().map(|table| table.name).collect();
    match printer.output {
        Output::Json => {
            let created = serde_json::json!({ "created": names, "rows_dropped": held });
            printer.json(&created)
        }
        Output::Text => {
            printer.note(&format!("created {} tables in `{}`", names.len(), settings.warehouse));
            Ok(())
        }
    }
}

/// Converts the error of a table that is not sparkify's. Its own hint names this command.
fn refused(error: WarehouseError) -> Failure {
    match error {
        WarehouseError::Foreign { .. } => Failure::new(
            error.to_string(),
            "this command drops no table of another program; rename the table, or name another warehouse with `--warehouse` or another schema with `--schema`",
        ),
        other => other.into(),
    }
}

fn confirm(settings: &Settings, rows: u64) -> Result<(), Failure> {
    let rows = sparkify_analytics::report::grouped(rows);
    let holds = format!("`{}` holds {rows} rows", settings.warehouse);
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            format!("{holds}, which this command would drop"),
            "pass `--yes` to confirm",
        ));
    }
    if Printer::confirms(&format!("{holds}. Drop all of them?"))? {
        return Ok(());
    }
    Err(Failure::new("not confirmed: no table was dropped", "answer `y`, or pass `--yes`"))
}
