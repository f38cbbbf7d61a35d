//! Command-line arguments. `config` resolves their values; each command's module interprets the
//! rest.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use super::printer::{Color, Output};
use sparkify_config::{Flags, S3Flags};

const SETTINGS: &str = "\
Precedence of settings: flags, environment, configuration file (dwh.cfg), defaults.
Environment: SPARKIFY_CONFIG, SPARKIFY_WAREHOUSE, SPARKIFY_SCHEMA, SPARKIFY_SONG_DATA, SPARKIFY_LOG_DATA,
SPARKIFY_MAX_REJECT_SHARE, SPARKIFY_MEMORY, SPARKIFY_THREADS, SPARKIFY_ALLOW_SUPERUSER, SPARKIFY_ERASURE_KEY; PGHOST, PGPASSWORD, ... for PostgreSQL; AWS_... for S3.

Exit codes: 0 success; 1 a data test, comparison or pre-flight check failed; 2 the program failed;
130 Ctrl-C or 143 SIGTERM cancelled a load.";

/// Load song metadata and user-activity events into a star schema
#[derive(Debug, Parser)]
#[command(name = "sparkify", version, after_help = SETTINGS, max_term_width = 120)]
pub(super) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Configuration file [default: dwh.cfg, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Warehouse URL: duckdb:FILE, postgres://... or redshift://... [default:
    /// duckdb:sparkify.duckdb]
    #[arg(long, global = true, value_name = "URL")]
    pub warehouse: Option<String>,
    /// Schema of the tables on a server [default: public]
    #[arg(long, global = true, value_name = "NAME")]
    pub schema: Option<String>,
    /// PostgreSQL: run SQL as a superuser, although it can then read the server's files
    #[arg(long, global = true)]
    pub allow_superuser: bool,
    /// Output format
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub output: Output,
    /// Memory limit of the warehouse; larger work spills to disk [default: 512MB]
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Seconds to wait for the lock of a DuckDB file that another process uses [default: 10]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub wait: Option<u32>,
    /// Number of threads [default: one per core]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<String>,
    /// Print more: -v the steps and the complete summary of a load, -vv also the SQL
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Print the log of -v and -vv as JSON, one object per line
    #[arg(long, global = true)]
    pub log_json: bool,
    /// Print only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use colors
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub color: Color,
}

/// The commands, in the order in which a new user needs them.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Generate sample data
    #[command(
        after_help = "Example:\n  sparkify generate sample --songs 2000 --events 100000 --days 30 --users 500 --seed 7"
    )]
    Generate(Generate),
    /// Write a commented configuration file, `dwh.cfg`
    #[command(after_help = "Example:\n  sparkify init && sparkify doctor")]
    Init(Init),
    /// Drop and create all tables; `upgrade` keeps the rows of another version
    #[command(
        after_help = "Example:\n  sparkify create-tables --warehouse duckdb:sparkify.duckdb --yes"
    )]
    CreateTables(CreateTables),
    /// Upgrade the tables of an older version of sparkify in place; `etl` does it by itself
    #[command(after_help = "Example:\n  sparkify upgrade --plan && sparkify upgrade")]
    Upgrade(Upgrade),
    /// Load new and changed files: extract, stage, transform, test, publish
    #[command(
        after_help = "Example:\n  sparkify etl --song-data data/song_data --log-data data/log_data"
    )]
    Etl(Etl),
    /// Dry run of `etl`: print what it would load and change
    #[command(
        after_help = "Example:\n  sparkify plan --song-data data/song_data --log-data data/log_data"
    )]
    Plan(Etl),
    /// Run the data tests on the whole warehouse
    #[command(after_help = "Example:\n  sparkify check --warehouse duckdb:sparkify.duckdb")]
    Check,
    /// Compare the warehouse with expected numbers and explain each difference; exit code 1 if one
    /// is not accepted
    #[command(
        after_help = "Examples:\n  sparkify verify\n  sparkify verify --profile course\n  sparkify verify --print > mine.toml && sparkify verify --profile mine.toml"
    )]
    Verify(Verify),
    /// List loads, newest first, with their outcome
    #[command(after_help = "Example:\n  sparkify history --limit 5")]
    History(History),
    /// Compare the model tables of two warehouses row by row; exit code 0 if they are equal, 1 if
    /// they differ
    #[command(after_help = "Example:\n  sparkify diff duckdb:before.duckdb duckdb:after.duckdb")]
    Diff(Diff),
    /// Copy a whole warehouse to another file or engine: backup, restore, migration
    #[command(
        after_help = "Examples:\n  sparkify transfer duckdb:sparkify.duckdb postgres://etl@db.example.com/plays\n  sparkify transfer postgres://etl@db.example.com/plays duckdb:backup.duckdb"
    )]
    Transfer(Transfer),
    /// Run a saved query or SQL (argument, file or standard input), read-only
    #[command(
        after_help = "Examples:\n  sparkify query top_songs --since 2018-11-05 --until 2018-11-12 --level paid --limit 20\n  sparkify query top_artists --by hours --out artists.parquet\n  sparkify query \"select level, count(*) from songplays group by level\" --format csv"
    )]
    Query(Query),
    /// Write a self-contained HTML report with charts; works offline
    #[command(
        after_help = "Examples:\n  sparkify report\n  sparkify report -o november.html --since 2018-11-01 --until 2018-11-30"
    )]
    Report(Report),
    /// Serve the report on 127.0.0.1, with filters and a SQL editor, read-only; stop it with Ctrl-C
    #[command(
        after_help = "Examples:\n  sparkify serve\n  sparkify serve --port 9000 --time-limit 60"
    )]
    Serve(Serve),
    /// Interactive SQL and saved queries, read-only; without a terminal, runs the statements from
    /// standard input
    #[command(
        after_help = "Examples:\n  sparkify shell\n  sparkify shell < report.sql\n\nEnvironment: SPARKIFY_HISTORY names the history file [default: sparkify/history in XDG_STATE_HOME]; if it is empty, no history is kept. PAGER shows results that do not fit on the screen."
    )]
    Shell,
    /// Export the model tables to a folder, which is replaced atomically
    #[command(
        after_help = "Examples:\n  sparkify export out\n  sparkify export out --format csv --tables songplays,users"
    )]
    Export(Export),
    /// Erase a user: events, plays, dimensions, bytes of rejected records; later loads leave the user
    /// out
    #[command(
        after_help = "Examples:\n  sparkify erase --user 26 --plan\n  sparkify erase --user 26 --yes --receipt receipt.json --export out"
    )]
    Erase(Erase),
    /// Inspect or reprocess rejected records
    #[command(
        subcommand,
        after_help = "Examples:\n  sparkify rejects list --reason \"is missing\"\n  sparkify rejects show 3:284\n  sparkify rejects export rejects.ndjson"
    )]
    Rejects(super::rejects::Rejects),
    /// Show the lineage of a play: source object, byte position and source bytes
    #[command(
        after_help = "Examples:\n  sparkify trace 0c2b4e9a-8f5d-3c61-9d0e-5b7a1f2e3d4c\n  sparkify trace --session 345 --item 2"
    )]
    Trace(Trace),
    /// List the tables, or the columns of one table
    #[command(after_help = "Example:\n  sparkify describe songplays")]
    Describe(Describe),
    /// Write the data dictionary as HTML and Markdown: tables, columns, data tests and saved
    /// queries
    #[command(
        after_help = "Examples:\n  sparkify docs\n  sparkify docs --out site && xdg-open site/index.html\n  sparkify docs --dbt --out models"
    )]
    Docs(Docs),
    /// Check configuration, credentials, source and warehouse before a load; exit code 1 if a check
    /// fails
    #[command(after_help = "Example:\n  sparkify doctor --song-data s3://bucket/song_data")]
    Doctor(super::doctor::Doctor),
    /// Create, inspect and delete a Redshift cluster
    #[command(
        subcommand,
        after_help = "Examples:\n  sparkify cluster plan\n  sparkify cluster up --ttl 4h --write-config\n  sparkify cluster down --verify"
    )]
    Cluster(super::cluster::Cluster),
    /// List the log formats that `etl` reads, or print one
    #[command(
        after_help = "Examples:\n  sparkify formats\n  sparkify formats show spotify > mine.toml"
    )]
    Formats(super::formats::Formats),
    /// Print the completion script of a shell
    #[command(
        after_help = "Example:\n  sparkify completions bash > ~/.local/share/bash-completion/completions/sparkify"
    )]
    Completions(Completions),
    /// Write man pages to a folder
    #[command(hide = true)]
    Man(Man),
    /// Run statements for another process of this program
    #[command(name = sparkify_duckdb::isolated::WORKER_COMMAND, hide = true)]
    StatementWorker,
    /// Print the SQL, or check SQL for Amazon Redshift
    #[command(after_help = "Examples:\n  sparkify sql songplays\n  sparkify sql --check mine.sql")]
    Sql(Sql),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// Output folder
    pub out: PathBuf,
    /// Number of song files
    #[arg(long, default_value_t = 2000)]
    pub songs: u64,
    /// Number of events
    #[arg(long, default_value_t = 100_000)]
    pub events: u64,
    /// Number of days that the events cover, one file per day
    #[arg(long, default_value_t = 30)]
    pub days: u32,
    /// Number of users
    #[arg(long, default_value_t = 500)]
    pub users: u32,
    /// Random seed
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Add malformed input: unusual formats, duplicates and damaged records
    #[arg(long)]
    pub awkward: bool,
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// File to write
    #[arg(value_name = "FILE", default_value = sparkify_config::DEFAULT_FILE)]
    pub file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell that reads the script
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write to
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CreateTables {
    /// Do not ask for confirmation before data is dropped
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Upgrade {
    /// Print the statements and change nothing
    #[arg(long)]
    pub plan: bool,
}

#[derive(Debug, Args)]
pub(super) struct Etl {
    /// Song files: folder, file, zip archive or `s3://BUCKET/PREFIX` [default: `SONG_DATA` in [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION")]
    pub song_data: Option<String>,
    /// Event files: folder, file, zip archive or `s3://BUCKET/PREFIX` [default: `LOG_DATA` in [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION")]
    pub log_data: Option<String>,
    /// Maximum share of rejected records, and of their bytes; above it the load fails and publishes
    /// nothing [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub max_reject_share: Option<String>,
    /// Read every file again and rebuild the whole model
    #[arg(long)]
    pub full_refresh: bool,
    /// Compare the content of every file with its fingerprint, also if time and version are
    /// unchanged
    #[arg(long)]
    pub verify_content: bool,
    /// Delete the rows of files that no longer exist
    #[arg(long)]
    pub prune: bool,
    /// Files were moved: keep the rows of those loaded from OLD that are in NEW now
    #[arg(long, value_name = "OLD=NEW")]
    pub relocate: Vec<String>,
    #[command(flatten)]
    pub listing: ListingArgs,
    /// Load only event files of this day or a later one, by their name or partition, such as
    /// `dt=2018-11-05` (backfill)
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Load only event files of this day or an earlier one (backfill)
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Redshift: prefix for the files that COPY loads, `s3://BUCKET/PREFIX` [default: `STAGING` in
    /// [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION")]
    pub staging: Option<String>,
    /// Redshift: prefix for the manifests of a direct COPY, `s3://BUCKET/PREFIX` [default:
    /// `MANIFEST` in [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION")]
    pub manifest: Option<String>,
    #[command(flatten)]
    pub log_format: LogFormatArgs,
    #[command(flatten)]
    pub s3: S3Args,
}

/// Format of the event files.
#[derive(Debug, Clone, Args)]
pub(super) struct LogFormatArgs {
    /// Format of the event files: a name of `sparkify formats`, or a file [default: `LOG_FORMAT` in
    /// [S3] of dwh.cfg, else sparkify]
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub log_format: Option<String>,
    /// `JSONPaths` file: its paths fill the columns of `staging_events` by position [default:
    /// `LOG_JSONPATH` in [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION", conflicts_with = "log_format")]
    pub log_jsonpath: Option<String>,
}

/// Listings of folders and S3 prefixes.
#[derive(Debug, Args)]
pub(super) struct ListingArgs {
    /// Follow symbolic links that lead out of the folder
    #[arg(long)]
    pub follow_links: bool,
    /// Accept a location without files
    #[arg(long)]
    pub allow_empty: bool,
    /// Fail if a file changes or is removed during the load; otherwise it is read once more, then
    /// left for the next run
    #[arg(long)]
    pub strict_listing: bool,
}

/// Access to S3. The options are named as in the AWS CLI.
#[derive(Debug, Args)]
#[command(next_help_heading = "S3")]
pub(super) struct S3Args {
    /// S3 endpoint other than Amazon's [default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, or the
    /// profile's]
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Region of the bucket [default: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or the
    /// server's answer]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// `path` for `https://host/bucket`, `virtual` for `https://bucket.host` [default: depends on
    /// the endpoint]
    #[arg(long, value_name = "STYLE")]
    pub addressing_style: Option<String>,
    /// Anonymous access (public buckets)
    #[arg(long)]
    pub no_sign_request: bool,
    /// Requester-pays bucket
    #[arg(long)]
    pub request_payer: bool,
    /// Maximum number of concurrent requests [default: 256]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<String>,
}

impl S3Args {
    /// Converts the options for `config`.
    pub(super) fn flags(&self) -> S3Flags {
        S3Flags {
            endpoint_url: self.endpoint_url.clone(),
            region: self.region.clone(),
            addressing_style: self.addressing_style.clone(),
            no_sign_request: self.no_sign_request,
            request_payer: self.request_payer,
            concurrency: self.concurrency.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// `strict` (rules for any warehouse), `course` (the numbers that the course publishes), `koito`,
    /// `maloja` or `your-spotify` (what these count in the same export of Spotify), or a profile file
    #[arg(long, value_name = "PROFILE", default_value = "strict")]
    pub profile: String,
    /// Print the profile and exit
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Args)]
pub(super) struct History {
    /// Maximum number of loads to show
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// First warehouse URL
    #[arg(value_name = "URL")]
    pub first: String,
    /// Second warehouse URL
    #[arg(value_name = "URL")]
    pub second: String,
    /// Maximum number of sample rows per table and kind of difference
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub(super) struct Transfer {
    /// URL of the warehouse to copy; it is not changed
    #[arg(value_name = "FROM")]
    pub from: String,
    /// URL of the warehouse to write, which must be empty or not exist
    #[arg(value_name = "TO")]
    pub to: String,
    /// Replace the tables of a warehouse that is not empty, atomically
    #[arg(long)]
    pub replace: bool,
    /// Redshift: prefix for the files that COPY loads, `s3://BUCKET/PREFIX` [default: `STAGING` in
    /// [S3] of dwh.cfg]
    #[arg(long, value_name = "LOCATION")]
    pub staging: Option<String>,
    #[command(flatten)]
    pub s3: S3Args,
}

#[derive(Debug, Args)]
pub(super) struct Erase {
    /// ID of the user
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub user: i64,
    /// Dry run: count the rows about the user and change nothing
    #[arg(long)]
    pub plan: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Write a receipt as JSON, which does not name the user
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub receipt: Option<PathBuf>,
    /// Export to replace, with its tables and format; may be repeated
    #[arg(long, value_name = "DIR", conflicts_with = "plan")]
    pub export: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Query {
    /// Name of a saved query, or SQL; `-` or none reads standard input
    #[arg(value_name = "NAME|SQL")]
    pub sql: Option<String>,
    /// Read the query from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "sql")]
    pub file: Option<PathBuf>,
    /// Format of the result [default: by the extension of --out; otherwise table, or json with
    /// --output json]
    #[arg(long, value_enum)]
    pub format: Option<super::query::Format>,
    /// Write the result to a file, atomically; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// CSV: put a ' before text that a spreadsheet would run as a formula
    #[arg(long)]
    pub escape_formulas: bool,
    /// DuckDB: allow SQL to read local files, such as `from 'plays.csv'`
    #[arg(long)]
    pub allow_files: bool,
    /// List the saved queries and their filters
    #[arg(long, conflicts_with_all = ["sql", "file"])]
    pub list: bool,
    #[command(flatten)]
    pub filters: Filters,
}

/// Filters and parameters of a saved query.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters (saved queries only)")]
pub(super) struct Filters {
    /// First day, inclusive (UTC)
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Last day, inclusive (UTC)
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Only plays at this subscription level, for example paid
    #[arg(long)]
    pub level: Option<String>,
    /// Maximum number of rows, or `all`
    #[arg(long, value_name = "N", value_parser = limit, allow_hyphen_values = true)]
    pub limit: Option<u64>,
    /// Measure to rank by, or period to group by, for example listeners or week
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Output file, written atomically; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub out: PathBuf,
    #[command(flatten)]
    pub filters: ReportFilters,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Port [default: 8750, or any free port; 0: any free port]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Query timeout in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time_limit: u64,
    /// Maximum number of rows in a result
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub rows: usize,
    /// Open the page in the default browser
    #[arg(long)]
    pub open: bool,
}

/// Filters of the report, for the saved queries that take them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct ReportFilters {
    /// First day, inclusive (UTC)
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Last day, inclusive (UTC)
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Only plays at this subscription level, for example paid
    #[arg(long)]
    pub level: Option<String>,
}

impl From<&ReportFilters> for Filters {
    fn from(filters: &ReportFilters) -> Self {
        let ReportFilters { since, until, level } = filters;
        let (since, until, level) = (since.clone(), until.clone(), level.clone());
        Self { since, until, level, limit: None, by: None }
    }
}

fn limit(written: &str) -> Result<u64, String> {
    let number = if written == "all" { Some(u64::MAX) } else { written.parse().ok() };
    number.ok_or_else(|| "give a whole number of at least 0, or `all`".into())
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Output folder; an existing export is replaced
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// File format
    #[arg(long, value_enum, default_value = "parquet")]
    pub format: super::export::Format,
    /// CSV: put a ' before text that a spreadsheet would run as a formula
    #[arg(long)]
    pub escape_formulas: bool,
    /// Tables to export, separated by commas [default: all model tables]
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    pub tables: Vec<String>,
    /// Replace the folder even if it holds other files
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Trace {
    /// `songplay_id` of the play
    #[arg(required_unless_present = "session", conflicts_with_all = ["session", "item"])]
    pub songplay_id: Option<String>,
    /// Session of the play; requires --item
    #[arg(long, value_name = "N", requires = "item", allow_negative_numbers = true)]
    pub session: Option<i64>,
    /// Position of the play in its session, from 0
    #[arg(long, value_name = "N", requires = "session", allow_negative_numbers = true)]
    pub item: Option<i64>,
    #[command(flatten)]
    pub s3: S3Args,
}

#[derive(Debug, Args)]
pub(super) struct Describe {
    /// Name of a table
    pub table: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Docs {
    /// Output folder for `index.html` and `README.md` [default: sparkify-docs; none with --output
    /// json]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write `sources.yml` for dbt instead: tables, columns, descriptions and data tests
    #[arg(long)]
    pub dbt: bool,
}

#[derive(Debug, Args)]
pub(super) struct Sql {
    /// Name of one SQL file, for example songplays [default: all, in execution order]; with
    /// --check, the path of a script, or `-`
    pub name: Option<String>,
    /// Print the SQL of an incremental load
    #[arg(long)]
    pub incremental: bool,
    /// Check a script, or all SQL files, against the SQL that Amazon Redshift documents; exit code
    /// 1 if a statement is not documented
    #[arg(long, conflicts_with = "incremental")]
    pub check: bool,
    /// List the rules and the allow-list of --check, each with its documentation page
    #[arg(long, conflicts_with_all = ["name", "incremental", "check"])]
    pub rules: bool,
}

impl Global {
    /// Converts the options for `config`.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            warehouse: self.warehouse.clone(),
            schema: self.schema.clone(),
            allow_superuser: self.allow_superuser,
            wait: self.wait,
            memory: self.memory.clone(),
            threads: self.threads.clone(),
            ..Flags::default()
        }
    }
}
