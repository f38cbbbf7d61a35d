//! `sparkify upgrade`: upgrades the tables of an older version of sparkify in place.

use std::fmt::Write as _;

use serde::Serialize;

use super::args;
use super::failure::Failure;
use super::printer::Printer;
use sparkify_config::Settings;
use sparkify_load::layout::CURRENT;
use sparkify_load::pipeline;
use sparkify_load::tables::Found;
use sparkify_load::upgrade::{Step, Upgrade};
use sparkify_warehouse::Access;

/// Result of the command.
#[derive(Serialize)]
struct Outcome<'a> {
    /// Layout before.
    from: i64,
    /// Layout of this version of sparkify.
    to: i64,
    /// True if the warehouse was changed.
    upgraded: bool,
    /// Steps that were run, or with `--plan` would be run.
    steps: &'a [Step],
}

pub(super) fn run(
    args: &args::Upgrade,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let planned = plan(settings, printer)?;
    let upgrade = match planned {
        // Only the connection that upgrades writes: a current layout needs none.
        Some(_) if !args.plan => {
            let mut warehouse = super::open(settings, Access::Write, printer)?;
            pipeline::upgrade(warehouse.as_mut(), &printer.meter())?
        }
        planned => planned,
    };
    let upgraded = upgrade.is_some() && !args.plan;
    let (from, steps) = upgrade
        .as_ref()
        .map_or((CURRENT.layout, [].as_slice()), |upgrade| (upgrade.from, &upgrade.steps));
    let outcome = Outcome { from, to: CURRENT.layout, upgraded, steps };
    printer.result(&outcome, || match &upgrade {
        None => format!("nothing to upgrade: the warehouse has layout {}\n", CURRENT.layout),
        Some(upgrade) if args.plan => script(upgrade),
        Some(Upgrade { from, to, .. }) => {
            format!("the warehouse was upgraded from layout {from} to {to}\n")
        }
    })
}

/// Plans the upgrade on a connection that only reads.
fn plan(settings: &Settings, printer: &Printer) -> Result<Option<Upgrade>, Failure> {
    let mut warehouse = super::open(settings, Access::Read, printer)?;
    let found = Found::read(warehouse.as_mut())?;
    if found.layout.is_none() {
        return Err(Failure::new(
            format!("the warehouse `{}` has no tables of sparkify", settings.warehouse),
            "run `sparkify etl` first, or name another warehouse with `--warehouse`",
        ));
    }
    Ok(Upgrade::plan(warehouse.as_mut(), &found)?)
}

/// Formats the steps as an SQL script.
fn script(upgrade: &Upgrade) -> String {
    let Upgrade { from, to, steps } = upgrade;
    let mut text = format!("-- From layout {from} to {to}, in one transaction.\n");
    for Step { name, statements } in steps {
        let _ = writeln!(text, "\n-- {name}");
        for statement in statements {
            let _ = writeln!(text, "{statement};");
        }
    }
    text
}
