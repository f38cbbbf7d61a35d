//! Command line of sparkify: one module per command, terminal output, exit codes.
//!
//! A command converts its arguments into a call of another crate and prints the result. Only this
//! crate prints, and it contains no data logic.

mod args;
mod atomic_file;
mod check;
mod cluster;
pub mod connect;
mod create_tables;
mod describe;
mod diff;
mod docs;
mod doctor;
mod etl;
mod export;
mod failure;
mod generate;
mod history;
mod json;
mod lint;
mod plan;
mod printer;
mod progress;
mod query;
mod rejects;
#[cfg(feature = "page")]
mod report;
#[cfg(feature = "page")]
mod serve;
mod shell;
mod source_bytes;
mod sql;
mod trace;
mod verify;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use args::{Cli, Command, WaitOptions};
use failure::Failure;
use printer::Printer;
use sparkify_config::{Flags, Settings};
use sparkify_reader::Sample;
use sparkify_warehouse::{Access, Warehouse, WarehouseError};

/// Pause between two attempts to open a file that another process uses.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.global.output, cli.global.quiet, cli.global.color);
    enable_tracing(cli.global.verbose);
    match run(&cli, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&printer),
    }
}

fn run(cli: &Cli, printer: &Printer) -> Result<(), Failure> {
    let flags = cli.global.flags();
    match &cli.command {
        Command::Generate(args) => generate::run(args, printer),
        Command::CreateTables(args) => {
            create_tables::run(args, &settings(&flags, printer)?, printer)
        }
        Command::Etl(args) => etl::run(args, &settings(&args.merge_into(flags), printer)?, printer),
        Command::Plan(args) => {
            plan::run(args, &settings(&args.merge_into(flags), printer)?, printer)
        }
        Command::Check => check::run(&settings(&flags, printer)?, printer),
        Command::Verify(args) => verify::run(args, &settings(&flags, printer)?, printer),
        Command::History(args) => history::run(args, &settings(&flags, printer)?, printer),
        Command::Diff(args) => diff::run(args, &flags, printer),
        Command::Query(args) => query::run(args, &settings(&flags, printer)?, printer),
        #[cfg(feature = "page")]
        Command::Report(args) => report::run(args, &settings(&flags, printer)?, printer),
        #[cfg(not(feature = "page"))]
        Command::Report(_) | Command::Serve(_) => Err(without_page()),
        #[cfg(feature = "page")]
        Command::Serve(args) => serve::run(args, &settings(&flags, printer)?, printer),
        Command::Shell => shell::run(&settings(&flags, printer)?, printer),
        Command::Export(args) => export::run(args, &settings(&flags, printer)?, printer),
        Command::Rejects(command) => {
            rejects::run(command, &settings(&command.merge_into(flags), printer)?, printer)
        }
        Command::Trace(args) => {
            let flags = Flags { s3: args.s3.flags(), ..flags };
            trace::run(args, &settings(&flags, printer)?, printer)
        }
        Command::Describe(args) => describe::run(args, &settings(&flags, printer)?, printer),
        Command::Docs(args) => docs::run(args, &settings(&flags, printer)?, printer),
        Command::Doctor(args) => doctor::run(&args.merge_into(flags), args.no_probes, printer),
        Command::Cluster(command) => {
            let flags = command.merge_into(flags);
            cluster::run(command, &flags, &settings(&flags, printer)?, printer)
        }
        Command::Sql(args) => sql::run(args, &settings(&flags, printer)?, printer),
    }
}

fn settings(flags: &Flags, printer: &Printer) -> Result<Settings, Failure> {
    let settings = Settings::resolve(flags)?;
    settings.warnings.iter().for_each(|warning| printer.warn(warning));
    Ok(settings)
}

/// Opens the warehouse for reading; an error if a table is missing.
fn open_loaded(settings: &Settings) -> Result<Box<dyn Warehouse>, Failure> {
    open_as(settings, Access::Read)
}

/// Opens the warehouse with `access`; an error if a table is missing.
fn open_as(settings: &Settings, access: Access) -> Result<Box<dyn Warehouse>, Failure> {
    let mut warehouse = connect::open(settings, access)?;
    let present = sparkify_load::tables::existing(warehouse.as_mut())?;
    match sparkify_load::tables::all().find(|table| !present.contains(&table.name)) {
        Some(table) => Err(Failure::new(
            format!("the warehouse `{}` has no table `{}`", settings.warehouse, table.name),
            "run `sparkify etl` first, or name another warehouse with `--warehouse`",
        )),
        None => Ok(warehouse),
    }
}

/// Opens the warehouse for writing. Waits for other processes that use a `DuckDB` file, as long as
/// `wait` allows.
fn open_to_write(
    settings: &Settings,
    wait: &WaitOptions,
    printer: &Printer,
) -> Result<Box<dyn Warehouse>, Failure> {
    let (started, timeout) = (Instant::now(), Duration::from_secs(wait.seconds.into()));
    let mut announced = false;
    loop {
        let error = match connect::open(settings, Access::Write) {
            Err(error @ WarehouseError::Busy { .. }) => error,
            opened => return Ok(opened?),
        };
        if started.elapsed() >= timeout {
            let hint = "retry when the other process has finished, raise `--wait SECONDS`, or name another file with `--warehouse`";
            return Err(Failure::new(error.to_string(), hint));
        }
        if !std::mem::replace(&mut announced, true) {
            printer.note(&format!("{error}: waiting up to {} s", wait.seconds));
        }
        std::thread::sleep(RETRY_INTERVAL);
    }
}

#[cfg(not(feature = "page"))]
fn without_page() -> Failure {
    Failure::new(
        "this build has no HTML report",
        "build with `make build`, or run `scripts/charts.sh` and then `cargo build --release`",
    )
}

/// Prints log messages of sparkify's crates to standard error, as `-v` and `-vv` request.
fn enable_tracing(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // Targets are matched by prefix: this includes every `sparkify_*` crate and leaves out the
    // verbose logs of libraries.
    let own_crates = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .finish()
        .with(own_crates)
        .init();
}
