//! The command line as it is typed. What it means is decided in `config` and in each command's file.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use super::printer::{Color, Output};
use sparkify_config::{Flags, S3Flags};

const SETTINGS: &str = "\
Settings: a flag beats the environment (SPARKIFY_CONFIG, SPARKIFY_WAREHOUSE, SPARKIFY_SCHEMA, SPARKIFY_SONG_DATA,
SPARKIFY_LOG_DATA, SPARKIFY_MAX_REJECT_SHARE, SPARKIFY_MEMORY, SPARKIFY_THREADS; PGHOST, PGPASSWORD …; for S3 those of AWS) beats the file (dwh.cfg) beats the default.
Exit codes: 0 fine, 1 the data failed a check, 2 the tool failed.";

/// From song and event files to a star schema, correct to the row and safe to run twice.
#[derive(Debug, Parser)]
#[command(name = "sparkify", version, after_help = SETTINGS, max_term_width = 120)]
pub(super) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Global {
    /// The configuration file [default: dwh.cfg, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The warehouse as a URL [default: duckdb:sparkify.duckdb]
    #[arg(long, global = true, value_name = "URL")]
    pub warehouse: Option<String>,
    /// The schema of the tables, on a server [default: public]
    #[arg(long, global = true, value_name = "NAME")]
    pub schema: Option<String>,
    /// The form of the answer
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub output: Output,
    /// Memory for the warehouse's work; it spills to disk beyond [default: 512MB]
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Threads [default: one a core]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<String>,
    /// Say more: once for the steps, twice for the SQL
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but answers and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub color: Color,
}

/// The commands, in the order in which they are needed.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make input of any size to try things out on
    #[command(
        after_help = "Example: sparkify generate sample --songs 2000 --events 100000 --days 30 --users 500 --seed 7"
    )]
    Generate(Generate),
    /// Drop and create all tables
    #[command(
        after_help = "Example: sparkify create-tables --warehouse duckdb:sparkify.duckdb --yes"
    )]
    CreateTables(CreateTables),
    /// Load what is new or changed: extract, stage, transform, check, publish
    #[command(
        after_help = "Example: sparkify etl --song-data data/song_data --log-data data/log_data"
    )]
    Etl(Etl),
    /// Say what `etl` would do, and change nothing
    #[command(
        after_help = "Example: sparkify plan --song-data data/song_data --log-data data/log_data"
    )]
    Plan(Etl),
    /// Run the data-quality checks alone
    #[command(after_help = "Example: sparkify check --warehouse duckdb:sparkify.duckdb")]
    Check,
    /// Compare the warehouse with what is expected of it, and explain each difference: exit code 1 when there is one
    #[command(
        after_help = "Examples: sparkify verify\n          sparkify verify --profile course\n          sparkify verify --print > mine.toml && sparkify verify --profile mine.toml"
    )]
    Verify(Verify),
    /// Show the loads, newest first, and how they ended
    #[command(after_help = "Example: sparkify history --limit 5")]
    History(History),
    /// Compare the tables of two warehouses, row for row: exit code 0 when they are the same, 1 when they differ
    #[command(after_help = "Example: sparkify diff duckdb:before.duckdb duckdb:after.duckdb")]
    Diff(Diff),
    /// Ask the warehouse: a question with a name, or SQL (an argument, a file, standard input)
    #[command(
        after_help = "Examples: sparkify query top_songs --since 2018-11-05 --until 2018-11-12 --level paid --limit 20\n          sparkify query top_artists --by hours --out artists.parquet\n          sparkify query \"select level, count(*) from songplays group by level\" --format csv"
    )]
    Query(Query),
    /// Write the answers as one page of charts, which opens from disk and asks nobody for anything
    #[command(
        after_help = "Examples: sparkify report\n          sparkify report -o november.html --since 2018-11-01 --until 2018-11-30"
    )]
    Report(Report),
    /// Show the same page live on 127.0.0.1, with filters and a box for SQL, until Ctrl-C
    #[command(
        after_help = "Examples: sparkify serve\n          sparkify serve --port 9000 --time-limit 60"
    )]
    Serve(Serve),
    /// Type SQL and questions one after the other, read only; without a terminal, run those that come through a pipe
    #[command(
        after_help = "Examples: sparkify shell\n          sparkify shell < report.sql\n\nFormer lines are kept in SPARKIFY_HISTORY [default: sparkify/history in XDG_STATE_HOME; empty: nowhere]. PAGER shows what is longer than the screen."
    )]
    Shell,
    /// Write the tables of the model to a folder of files, whole or not at all
    #[command(
        after_help = "Examples: sparkify export out\n          sparkify export out --format csv --tables songplays,users"
    )]
    Export(Export),
    /// Look at the records that could not be used
    #[command(
        subcommand,
        after_help = "Examples: sparkify rejects list --reason \"is missing\"\n          sparkify rejects show 3:284\n          sparkify rejects export rejects.ndjson"
    )]
    Rejects(super::rejects::Rejects),
    /// Follow a play back to the bytes that it came from
    #[command(
        after_help = "Examples: sparkify trace 0c2b4e9a-8f5d-3c61-9d0e-5b7a1f2e3d4c\n          sparkify trace --session 345 --item 2"
    )]
    Trace(Trace),
    /// Show the tables, or the columns of one
    #[command(after_help = "Example: sparkify describe songplays")]
    Describe(Describe),
    /// Write the data dictionary: every table, column, check and question, as a page and as Markdown
    #[command(
        after_help = "Examples: sparkify docs\n          sparkify docs --out site && xdg-open site/index.html"
    )]
    Docs(Docs),
    /// Look at everything that a load needs, before it runs: exit code 1 when something is missing
    #[command(after_help = "Example: sparkify doctor --song-data s3://bucket/song_data")]
    Doctor(super::doctor::Doctor),
    /// Make a Redshift, look at it, delete it: from nothing and back to nothing
    #[command(
        subcommand,
        after_help = "Examples: sparkify cluster plan\n          sparkify cluster up --ttl 4h --write-config\n          sparkify cluster down --verify"
    )]
    Cluster(super::cluster::Cluster),
    /// Print the SQL as the warehouse would get it
    #[command(
        after_help = "Examples: sparkify sql songplays\n          sparkify sql --check mine.sql"
    )]
    Sql(Sql),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// The folder to make the input in
    pub out: PathBuf,
    /// Song files
    #[arg(long, default_value_t = 2000)]
    pub songs: u64,
    /// Events
    #[arg(long, default_value_t = 100_000)]
    pub events: u64,
    /// Days that the events spread over, a file each
    #[arg(long, default_value_t = 30)]
    pub days: u32,
    /// Listeners
    #[arg(long, default_value_t = 500)]
    pub users: u32,
    /// Another seed, another world
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Add what real input gets wrong: odd forms, duplicates, damage
    #[arg(long)]
    pub awkward: bool,
}

#[derive(Debug, Args)]
pub(super) struct CreateTables {
    /// Do not ask before data is dropped
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub turn: Turn,
}

/// A DuckDB file is one process's at a time, once anybody writes.
#[derive(Debug, Args)]
pub(super) struct Turn {
    /// Wait so long for others who have the DuckDB file open, such as statements of `serve` and `shell`
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub wait: u32,
}

#[derive(Debug, Args)]
pub(super) struct Etl {
    /// The song objects: a folder, a file, or `s3://BUCKET/PREFIX` [default: `SONG_DATA` of [S3] in dwh.cfg]
    #[arg(long, value_name = "PLACE")]
    pub song_data: Option<String>,
    /// The event objects: a folder, a file, or `s3://BUCKET/PREFIX` [default: `LOG_DATA` of [S3] in dwh.cfg]
    #[arg(long, value_name = "PLACE")]
    pub log_data: Option<String>,
    /// Fail, and publish nothing, when more of the records than this cannot be used [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub max_reject_share: Option<String>,
    /// Read every object again, and make the whole model anew
    #[arg(long)]
    pub full_refresh: bool,
    /// Remove the rows of objects that are no longer there
    #[arg(long)]
    pub prune: bool,
    /// Only event objects whose key has this date or a later one
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Only event objects whose key has this date or an earlier one
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Where rows lie as files on their way into a Redshift cluster: `s3://BUCKET/PREFIX` [default: `STAGING` of [S3] in dwh.cfg]
    #[arg(long, value_name = "PLACE")]
    pub staging: Option<String>,
    /// Where lists of objects lie for a Redshift cluster that copies them itself: `s3://BUCKET/PREFIX` [default: `MANIFEST` of [S3] in dwh.cfg]
    #[arg(long, value_name = "PLACE")]
    pub manifest: Option<String>,
    /// The `JSONPaths` file by which such a cluster reads event objects [default: `LOG_JSONPATH` of [S3] in dwh.cfg]
    #[arg(long, value_name = "URL")]
    pub log_jsonpath: Option<String>,
    #[command(flatten)]
    pub turn: Turn,
    #[command(flatten)]
    pub s3: S3Args,
}

/// How S3 is reached. The names are those of the `aws` program.
#[derive(Debug, Args)]
#[command(next_help_heading = "S3")]
pub(super) struct S3Args {
    /// A server other than Amazon's [default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, or the profile's]
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The bucket's region [default: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or what the server says]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// `path` for `https://host/bucket`, `virtual` for `https://bucket.host` [default: as it suits the server]
    #[arg(long, value_name = "STYLE")]
    pub addressing_style: Option<String>,
    /// Sign nothing: for public buckets
    #[arg(long)]
    pub no_sign_request: bool,
    /// Pay for the requests, where the bucket's readers do
    #[arg(long)]
    pub request_payer: bool,
    /// Requests under way at once, at most [default: 256]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<String>,
}

impl S3Args {
    /// As `config` takes it.
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
    /// strict: what holds of any warehouse; course: the numbers that the course publishes; or a file of your own
    #[arg(long, value_name = "PROFILE", default_value = "strict")]
    pub profile: String,
    /// Print the profile instead
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Args)]
pub(super) struct History {
    /// Show at most so many loads
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// A warehouse as a URL
    #[arg(value_name = "WAREHOUSE")]
    pub first: String,
    /// Another one
    #[arg(value_name = "WAREHOUSE")]
    pub second: String,
    /// Show at most so many rows of each table that stand in the first alone, in the second alone, and in both but differ
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub limit: usize,
}

#[derive(Debug, Args)]
pub(super) struct Query {
    /// A question's name or SQL; `-` or nothing reads standard input
    pub sql: Option<String>,
    /// Read the SQL from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "sql")]
    pub file: Option<PathBuf>,
    /// The form of the result [default: as the ending of --out says, else table, or json with --output json]
    #[arg(long, value_enum)]
    pub format: Option<super::query::Format>,
    /// Write the result to a file, which is there whole or not at all; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// List the questions that have a name, with what they take
    #[arg(long, conflicts_with_all = ["sql", "file"])]
    pub list: bool,
    #[command(flatten)]
    pub bounds: Bounds,
}

/// What a question with a name may take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Bounds of a question with a name")]
pub(super) struct Bounds {
    /// Only what happened on this day or later (UTC)
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Only what happened on this day or earlier (UTC)
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Only plays at this level, for example paid
    #[arg(long)]
    pub level: Option<String>,
    /// At most so many rows, or `all`
    #[arg(long, value_name = "N", value_parser = limit)]
    pub limit: Option<u64>,
    /// What to rank or group by, for example listeners or week
    #[arg(long, value_name = "WHAT")]
    pub by: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Report {
    /// The file to write, which is there whole or not at all; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub out: PathBuf,
    #[command(flatten)]
    pub range: Range,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The port [default: 8750, or any that is free; 0: any that is free]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// So long may a statement run that somebody types
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time_limit: u64,
    /// Rows of its answer, at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub rows: usize,
}

/// What the questions of a report are bounded by, as far as each takes it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Bounds, for the questions that take them")]
pub(super) struct Range {
    /// Only what happened on this day or later (UTC)
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Only what happened on this day or earlier (UTC)
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Only plays at this level, for example paid
    #[arg(long)]
    pub level: Option<String>,
}

impl From<&Range> for Bounds {
    fn from(range: &Range) -> Self {
        let Range { since, until, level } = range;
        let (since, until, level) = (since.clone(), until.clone(), level.clone());
        Self { since, until, level, limit: None, by: None }
    }
}

fn limit(written: &str) -> Result<u64, String> {
    let number = if written == "all" { Some(u64::MAX) } else { written.parse().ok() };
    number.ok_or_else(|| "it is a whole number or `all`".into())
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The folder to make, or to replace if it is an export
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The form of the files
    #[arg(long, value_enum, default_value = "parquet")]
    pub format: super::export::Format,
    /// Only these tables, with commas between them [default: all of the model]
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    pub tables: Vec<String>,
    /// Replace the folder even if something else is in it
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Trace {
    /// The play's `songplay_id`
    #[arg(required_unless_present = "session", conflicts_with_all = ["session", "item"])]
    pub songplay_id: Option<String>,
    /// Every play of this session that stands at `--item`
    #[arg(long, value_name = "N", requires = "item", allow_negative_numbers = true)]
    pub session: Option<i64>,
    /// The place in the session, from 0
    #[arg(long, value_name = "N", requires = "session", allow_negative_numbers = true)]
    pub item: Option<i64>,
    #[command(flatten)]
    pub s3: S3Args,
}

#[derive(Debug, Args)]
pub(super) struct Describe {
    /// One table
    pub table: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Docs {
    /// The folder for `index.html` and `README.md` [default: sparkify-docs; with --output json none, the dictionary is the answer]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Sql {
    /// One file's name, for example songplays; without it, all in the order in which they are used. With --check, a script's path, or `-`
    pub name: Option<String>,
    /// As for a load that touches part of the model
    #[arg(long)]
    pub incremental: bool,
    /// Say which statements of a script Amazon Redshift does not document, and why; without a script, of all of these files: exit code 1 when there is one
    #[arg(long, conflicts_with = "incremental")]
    pub check: bool,
    /// List the rules of --check, and what it lets through, each with its page
    #[arg(long, conflicts_with_all = ["name", "incremental", "check"])]
    pub rules: bool,
}

impl Global {
    /// As `config` takes it.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            warehouse: self.warehouse.clone(),
            schema: self.schema.clone(),
            memory: self.memory.clone(),
            threads: self.threads.clone(),
            ..Flags::default()
        }
    }
}
