//! `sparkify rejects`: lists, shows, exports and reprocesses rejected records.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args::{LogFormatArgs, S3Args};
use super::atomic_file;
use super::failure::Failure;
use super::printer::{Output, Printer};
use super::source_bytes::format_bytes;
use super::terminal;
use sparkify_analytics::report::grouped;
use sparkify_config::{Flags, Settings};
use sparkify_load::pipeline::{self, Request};
use sparkify_load::rejects::{self, Filter, ReasonCount, Reject, RejectId};
use sparkify_reader::visible;
use sparkify_source::Sources;
use sparkify_warehouse::{Warehouse, WarehouseError};

/// Subcommands for rejected records.
#[derive(Debug, Subcommand)]
pub(super) enum Rejects {
    /// Count rejected records by reason and list them
    #[command(after_help = "Example:\n  sparkify rejects list --reason \"is missing\" --limit 100")]
    List(List),
    /// Show rejected records with their source bytes
    #[command(after_help = "Example:\n  sparkify rejects show 3:284 3:512")]
    Show(Show),
    /// Write all rejected records to a file, one JSON object per line
    #[command(
        after_help = "Examples:\n  sparkify rejects export rejects.ndjson\n  sparkify rejects export - | jq -r .raw"
    )]
    Export(Export),
    /// Reprocess rejected records: read their files again and load the records that are valid now
    #[command(after_help = "Example:\n  sparkify rejects replay")]
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Maximum share of rejected records, and of their bytes; above it the replay fails and changes
    /// nothing [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub max_reject_share: Option<String>,
    #[command(flatten)]
    pub log_format: LogFormatArgs,
    #[command(flatten)]
    pub s3: S3Args,
}

impl Rejects {
    /// Adds the options of this command to the global ones.
    pub(super) fn merge_into(&self, flags: Flags) -> Flags {
        match self {
            Self::Replay(args) => {
                let LogFormatArgs { log_format, log_jsonpath } = args.log_format.clone();
                let max_reject_share = args.max_reject_share.clone();
                let s3 = args.s3.flags();
                Flags { max_reject_share, log_format, log_jsonpath, s3, ..flags }
            }
            _ => flags,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only records whose reason contains this text
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only records of files whose key contains this text
    #[arg(long, value_name = "TEXT")]
    pub object: Option<String>,
    /// Maximum number of records to list
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Reject IDs, as `sparkify rejects list` prints them
    #[arg(required = true, value_name = "OBJECT_ID:BYTE_OFFSET")]
    pub ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Output file; `-` is standard output
    pub file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}

pub(super) fn run(
    command: &Rejects,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let open = || super::open_loaded(settings, printer);
    match command {
        Rejects::List(args) => list(args, open()?.as_mut(), printer),
        Rejects::Show(args) => show(args, open()?.as_mut(), printer),
        Rejects::Export(args) => export(args, open()?.as_mut(), printer),
        Rejects::Replay(_) => replay(settings, printer),
    }
}

fn replay(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    // The warehouse lists the objects to read again: a missing one is an error.
    drop(super::open_loaded(settings, printer)?);
    let sources = Sources::new(&settings.s3);
    let request = Request {
        max_reject_share: settings.max_reject_share,
        log_format: super::etl::log_format(settings, &sources)?,
        sources,
        erasure_key: super::etl::erasure_key(settings),
        ..Request::new(None, None)
    };
    let meter = super::etl::cancellable_meter(printer)?;
    let summary = super::etl::run_with_progress(settings, &meter, printer, |warehouse| {
        pipeline::replay(warehouse, &request, &meter)
    })?;
    super::etl::print_summary(&summary, "no rejected records to replay", printer)
}

#[derive(Serialize)]
struct Listing {
    /// Kept records that match the filter.
    total: u64,
    /// Records of all objects that are counted, but not kept.
    #[serde(skip_serializing_if = "is_zero")]
    not_kept: u64,
    reasons: Vec<ReasonCount>,
    rejects: Vec<ListEntry>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A rejected record in the list; the field names are JSON keys.
#[derive(Serialize)]
struct ListEntry {
    id: RejectId,
    reason: String,
    object: String,
    position: i64,
    length: i64,
    excerpt: String,
}

fn list(args: &List, warehouse: &mut dyn Warehouse, printer: &Printer) -> Result<(), Failure> {
    let filter = Filter { reason: args.reason.clone(), object: args.object.clone() };
    let reasons = rejects::by_reason(warehouse, &filter)?;
    let mut listed = Vec::new();
    rejects::list(warehouse, &filter, args.limit, &mut |reject| {
        let excerpt = reject.raw.excerpt();
        let Reject { id, reason, object, position, length, .. } = reject;
        listed.push(ListEntry { id, reason, object, position, length, excerpt });
        Ok(())
    })?;
    let total = reasons.iter().map(|reason| reason.rejects).sum();
    let not_kept = rejects::not_kept(warehouse)?;
    let listing = Listing { total, not_kept, reasons, rejects: listed };
    let filtered = args.reason.is_some() || args.object.is_some();
    printer.result(&listing, || match (total, filtered) {
        (0, false) => "no rejected records\n".into(),
        (0, true) => "no rejected record matches the filter\n".into(),
        _ => listing_text(&listing),
    })
}

fn listing_text(listing: &Listing) -> String {
    let reason =
        |reason: &ReasonCount| vec![visible(reason.reason.as_bytes()), grouped(reason.rejects)];
    let reasons: Vec<_> = listing.reasons.iter().map(reason).collect();
    let counts = terminal::table(&["reason", "rejects"], &reasons, &[1]);
    let line = |entry: &ListEntry| {
        vec![
            entry.id.to_string(),
            visible(entry.reason.as_bytes()),
            visible(entry.object.as_bytes()),
            entry.position.to_string(),
            entry.length.to_string(),
            entry.excerpt.clone(),
        ]
    };
    let lines: Vec<_> = listing.rejects.iter().map(line).collect();
    let header = ["reject", "reason", "object", "position", "length", "begins with"];
    let lines = terminal::table(&header, &lines, &[3, 4]);
    let (shown, total) = (listing.rejects.len() as u64, listing.total);
    let end = if shown < total {
        format!("{} of {} shown; `--limit {total}` shows all", grouped(shown), plural(total))
    } else {
        plural(total)
    };
    let more = match listing.not_kept {
        0 => String::new(),
        count => format!("{} more are counted, but not kept\n", grouped(count)),
    };
    format!("{counts}\n{lines}{end}\n{more}")
}

fn show(args: &Show, warehouse: &mut dyn Warehouse, printer: &Printer) -> Result<(), Failure> {
    let find = |written: &String| match written.parse() {
        Ok(id) => rejects::find(warehouse, id)?.ok_or_else(|| unknown(written)),
        Err(()) => Err(malformed(written)),
    };
    let found: Vec<Reject> = args.ids.iter().map(find).collect::<Result<_, Failure>>()?;
    printer.result(&found, || found.iter().map(reject_text).collect::<Vec<_>>().join("\n"))
}

fn reject_text(reject: &Reject) -> String {
    let Reject { id, position, length, load_id, loaded_at, .. } = reject;
    let (object, reason) = (visible(reject.object.as_bytes()), visible(reject.reason.as_bytes()));
    let kept = if reject.truncated {
        format!(", the first {} are kept", grouped(reject.raw.0.len() as u64))
    } else {
        String::new()
    };
    let raw = format_bytes(&reject.raw, *position);
    format!(
        "reject    {id}\nreason    {reason}\nobject    {object}\nposition  {position}\n\
         length    {length} bytes{kept}\nload      {load_id} ({loaded_at})\n\n{raw}"
    )
}

fn export(args: &Export, warehouse: &mut dyn Warehouse, printer: &Printer) -> Result<(), Failure> {
    if args.file == Path::new("-") {
        let mut out = printer.data();
        write_all(warehouse, &mut out)?;
        return out.flush().map_err(Failure::from);
    }
    let rejects = atomic_file::write(&args.file, args.force, |out| write_all(warehouse, out))?;
    match printer.output {
        Output::Json => {
            let done =
                serde_json::json!({ "file": args.file.display().to_string(), "rejects": rejects });
            printer.json(&done)
        }
        Output::Text => {
            printer.note(&format!("wrote {} to `{}`", plural(rejects), args.file.display()));
            Ok(())
        }
    }
}

fn write_all(warehouse: &mut dyn Warehouse, out: &mut dyn Write) -> Result<u64, WarehouseError> {
    rejects::for_each(warehouse, &mut |reject| writeln!(out, "{}", super::json::line(&reject)?))
}

fn plural(rejects: u64) -> String {
    let records = if rejects == 1 { "rejected record" } else { "rejected records" };
    format!("{} {records}", grouped(rejects))
}

fn unknown(id: &str) -> Failure {
    Failure::new(
        format!("no rejected record has the ID `{id}`"),
        "run `sparkify rejects list` to list the IDs",
    )
}

fn malformed(written: &str) -> Failure {
    Failure::new(
        format!("invalid reject ID `{}`", visible(written.as_bytes())),
        "write it as OBJECT_ID:BYTE_OFFSET, for example `3:284`; run `sparkify rejects list` to list the IDs",
    )
}
