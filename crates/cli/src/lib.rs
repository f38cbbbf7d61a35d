//! Command line of sparkify: one module per command, terminal output, exit codes.
//!
//! A command converts its arguments into a call of another crate and prints the result. Only this
//! crate prints, and it contains no data logic.

mod args;
mod atomic_file;
mod check;
mod cluster;
mod completions;
pub mod connect;
mod create_tables;
mod describe;
mod diff;
mod docs;
mod doctor;
mod erase;
mod etl;
mod export;
mod failure;
mod formats;
mod generate;
mod help;
mod history;
mod init;
mod json;
mod lint;
mod load_summary;
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
mod signals;
mod source_bytes;
mod sql;
mod terminal;
mod trace;
mod transfer;
mod upgrade;
mod verify;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use args::{Cli, Command};
use failure::Failure;
use printer::Printer;
use sparkify_config::{Flags, Settings};
use sparkify_load::{layout, tables};
use sparkify_reader::Sample;
use sparkify_warehouse::{Access, Warehouse, WarehouseError};

/// Pause between two attempts to open a file that another process uses.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the command line of this process.
///
/// `commit` is the commit that the program was built from.
pub fn main(commit: Option<&str>) -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "--version") {
        let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
        println!("sparkify {}{commit}", env!("CARGO_PKG_VERSION"));
        println!("DuckDB {}", sparkify_duckdb::version());
        return ExitCode::SUCCESS;
    }
    let cli = help::parse();
    let printer = Printer::new(&cli.global);
    enable_tracing(cli.global.verbose, cli.global.log_json);
    match run(&cli, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&printer),
    }
}

fn run(cli: &Cli, printer: &Printer) -> Result<(), Failure> {
    let flags = cli.global.flags();
    match &cli.command {
        Command::Generate(args) => generate::run(args, printer),
        Command::Init(args) => init::run(args, printer),
        Command::Formats(args) => formats::run(args, printer),
        Command::Completions(args) => completions::run(args, printer),
        Command::Man(args) => completions::man(args, printer),
        // Its parent process has read the configuration.
        Command::StatementWorker => Ok(sparkify_duckdb::isolated::run_worker()?),
        Command::CreateTables(args) => {
            create_tables::run(args, &settings(&flags, printer)?, printer)
        }
        Command::Upgrade(args) => upgrade::run(args, &settings(&flags, printer)?, printer),
        Command::Etl(args) => etl::run(args, &settings(&args.merge_into(flags), printer)?, printer),
        Command::Plan(args) => {
            plan::run(args, &settings(&args.merge_into(flags), printer)?, printer)
        }
        Command::Check => check::run(&settings(&flags, printer)?, printer),
        Command::Verify(args) => verify::run(args, &settings(&flags, printer)?, printer),
        Command::History(args) => history::run(args, &settings(&flags, printer)?, printer),
        Command::Diff(args) => diff::run(args, &flags, printer),
        Command::Transfer(args) => transfer::run(args, flags, printer),
        Command::Query(args) => query::run(args, &settings(&flags, printer)?, printer),
        #[cfg(feature = "page")]
        Command::Report(args) => report::run(args, &settings(&flags, printer)?, printer),
        #[cfg(not(feature = "page"))]
        Command::Report(_) | Command::Serve(_) => Err(without_page()),
        #[cfg(feature = "page")]
        Command::Serve(args) => serve::run(args, &settings(&flags, printer)?, printer),
        Command::Shell => shell::run(&settings(&flags, printer)?, printer),
        Command::Export(args) => export::run(args, &settings(&flags, printer)?, printer),
        Command::Erase(args) => erase::run(args, &settings(&flags, printer)?, printer),
        Command::Rejects(command) => {
            rejects::run(command, &settings(&command.merge_into(flags), printer)?, printer)
        }
        Command::Trace(args) => {
            let flags = Flags { s3: args.s3.flags(), ..flags };
            trace::run(args, &settings(&flags, printer)?, printer)
        }
        Command::Describe(args) => describe::run(args, &settings(&flags, printer)?, printer),
        Command::Docs(args) => docs::run(args, &settings(&flags, printer)?, printer),
        Command::Doctor(args) => doctor::run(args, &args.merge_into(flags), printer),
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
fn open_loaded(settings: &Settings, printer: &Printer) -> Result<Box<dyn Warehouse>, Failure> {
    open_as(settings, Access::Read, printer)
}

/// Opens the warehouse with `access`; an error if a table of its layout is missing, or if the layout
/// is newer than this version of sparkify.
fn open_as(
    settings: &Settings,
    access: Access,
    printer: &Printer,
) -> Result<Box<dyn Warehouse>, Failure> {
    let mut warehouse = open(settings, access, printer)?;
    match tables::Found::read(warehouse.as_mut())?.missing() {
        Some(table) => Err(Failure::new(
            format!("the warehouse `{}` has no table `{}`", settings.warehouse, table.name),
            "run `sparkify etl` first, or name another warehouse with `--warehouse`",
        )),
        None => Ok(warehouse),
    }
}

/// Opens any database with `access`, which need not have the tables of sparkify; an error if they
/// have a layout that is newer than this version of sparkify.
fn open_any(
    settings: &Settings,
    access: Access,
    printer: &Printer,
) -> Result<Box<dyn Warehouse>, WarehouseError> {
    let mut warehouse = open(settings, access, printer)?;
    layout::check(warehouse.as_mut())?;
    Ok(warehouse)
}

/// Opens the warehouse with `access`. Waits for other processes that use a `DuckDB` file.
fn open(
    settings: &Settings,
    access: Access,
    printer: &Printer,
) -> Result<Box<dyn Warehouse>, WarehouseError> {
    wait_for_file(settings, printer, || connect::open(settings, access))
}

/// Retries `open` while another process holds the lock of a `DuckDB` file, as long as `--wait`
/// allows.
fn wait_for_file<T>(
    settings: &Settings,
    printer: &Printer,
    mut open: impl FnMut() -> Result<T, WarehouseError>,
) -> Result<T, WarehouseError> {
    let (started, mut announced) = (Instant::now(), false);
    loop {
        let error = match open() {
            Err(error @ WarehouseError::Busy { .. }) => error,
            opened => return opened,
        };
        if started.elapsed() >= settings.lock_timeout {
            return Err(error);
        }
        if !std::mem::replace(&mut announced, true) {
            let seconds = settings.lock_timeout.as_secs();
            printer.note(&format!("{error}: waiting up to {seconds} s"));
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

/// Prints log messages of sparkify's crates to standard error, as `-v` and `-vv` request: as text,
/// or as one JSON object per line.
fn enable_tracing(verbose: u8, json: bool) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // Targets are matched by prefix: this includes every `sparkify_*` crate and leaves out the
    // verbose logs of libraries.
    let own_crates = Targets::new().with_target(env!("CARGO_PKG_NAME"), level);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false);
    if json {
        subscriber.json().flatten_event(true).finish().with(own_crates).init();
    } else {
        let color = anstream::AutoStream::choice(&std::io::stderr());
        let colored = color != anstream::ColorChoice::Never;
        subscriber.with_ansi(colored).finish().with(own_crates).init();
    }
}
