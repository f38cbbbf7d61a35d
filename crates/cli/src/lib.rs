//! How does a person drive it? One file a command; this room alone prints.
//!
//! A command turns what was typed into a call of the path, and what comes back into an answer on standard output. It decides nothing about data.

mod args;
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
mod out_file;
mod plan;
mod printer;
mod progress;
mod query;
mod raw;
mod rejects;
#[cfg(feature = "page")]
mod report;
#[cfg(feature = "page")]
mod serve;
mod shell;
mod sql;
mod trace;
mod verify;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use args::{Cli, Command, Turn};
use failure::Failure;
use printer::Printer;
use sparkify_config::{Flags, Settings};
use sparkify_reader::Sample;
use sparkify_warehouse::{Access, Warehouse, WarehouseError};

/// A file that others have open is tried again so much later.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.global.output, cli.global.quiet, cli.global.color);
    say_steps(cli.global.verbose);
    match run(&cli, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(&printer),
    }
}

fn run(cli: &Cli, printer: &Printer) -> Result<(), Failure> {
    let flags = cli.global.flags();
    match &cli.command {
        Command::Generate(args) => generate::run(args, printer),
        Command::CreateTables(args) => {
            create_tables::run(args, &settings(&flags, printer)?, printer)
        }
        Command::Etl(args) => etl::run(args, &settings(&args.over(flags), printer)?, printer),
        Command::Plan(args) => plan::run(args, &settings(&args.over(flags), printer)?, printer),
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
        Command::Serve(args) => serve::run(args, settings(&flags, printer)?, printer),
        Command::Shell => shell::run(&settings(&flags, printer)?, printer),
        Command::Export(args) => export::run(args, &settings(&flags, printer)?, printer),
        Command::Rejects(command) => {
            rejects::run(command, &settings(&command.over(flags), printer)?, printer)
        }
        Command::Trace(args) => {
            let flags = Flags { s3: args.s3.flags(), ..flags };
            trace::run(args, &settings(&flags, printer)?, printer)
        }
        Command::Describe(args) => describe::run(args, &settings(&flags, printer)?, printer),
        Command::Docs(args) => docs::run(args, &settings(&flags, printer)?, printer),
        Command::Doctor(args) => doctor::run(&args.over(flags), args.no_probes, printer),
        Command::Cluster(command) => {
            let flags = command.over(flags);
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

/// The warehouse for reading, with all of our tables in it.
fn open_loaded(settings: &Settings) -> Result<Box<dyn Warehouse>, Failure> {
    open_as(settings, Access::Read)
}

/// The same, to read as `access` allows.
fn open_as(settings: &Settings, access: Access) -> Result<Box<dyn Warehouse>, Failure> {
    let mut warehouse = connect::open(settings, access)?;
    let present = sparkify_load::tables::existing(warehouse.as_mut())?;
    match sparkify_load::tables::all().find(|table| !present.contains(&table.name)) {
        Some(table) => Err(Failure::new(
            format!("the warehouse `{}` has no table `{}`", settings.warehouse, table.name),
            "run `sparkify etl` first, or name another with `--warehouse`",
        )),
        None => Ok(warehouse),
    }
}

/// The warehouse for writing, once nobody else has its file open, or not at all.
fn open_to_write(
    settings: &Settings,
    turn: &Turn,
    printer: &Printer,
) -> Result<Box<dyn Warehouse>, Failure> {
    let (began, patience) = (Instant::now(), Duration::from_secs(turn.wait.into()));
    let mut told = false;
    loop {
        let error = match connect::open(settings, Access::Write) {
            Err(error @ WarehouseError::Busy { .. }) => error,
            opened => return Ok(opened?),
        };
        if began.elapsed() >= patience {
            let hint = "wait until it is done, or longer with `--wait SECONDS`; or name another file with `--warehouse`";
            return Err(Failure::new(error.to_string(), hint));
        }
        if !std::mem::replace(&mut told, true) {
            printer.note(&format!("{error}: waiting {} s at most", turn.wait));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

#[cfg(not(feature = "page"))]
fn without_page() -> Failure {
    Failure::new(
        "this build makes no pages",
        "`make build` has them; `cargo build --release` too, once `scripts/charts.sh` has run",
    )
}

fn say_steps(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // What libraries say of each connection would bury it.
    let ours = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .finish()
        .with(ours)
        .init();
}
