//! `sparkify rejects`: the records that could not be used, listed, shown and exported.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args::{S3Args, Turn};
use super::failure::Failure;
use super::out_file;
use super::printer::{Output, Printer};
use super::raw::shown_raw;
use sparkify_analytics::report::{grouped, plain_table};
use sparkify_config::{Flags, Settings};
use sparkify_load::pipeline::{self, Request};
use sparkify_load::rejects::{self, Filter, ReasonCount, Reject, RejectId};
use sparkify_reader::visible;
use sparkify_source::Sources;
use sparkify_warehouse::{Warehouse, WarehouseError};

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(super) enum Rejects {
    /// Count them by reason, and name them one a line
    #[command(after_help = "Example: sparkify rejects list --reason \"is missing\" --limit 100")]
    List(List),
    /// Show everything about some of them, with their bytes
    #[command(after_help = "Example: sparkify rejects show 3:284 3:512")]
    Show(Show),
    /// Write all of them to a file, one JSON object a line
    #[command(
        after_help = "Examples: sparkify rejects export rejects.ndjson\n          sparkify rejects export - | jq -r .raw"
    )]
    Export(Export),
    /// Read their objects again: what can be used by now enters the model, once
    #[command(after_help = "Example: sparkify rejects replay")]
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Fail, and change nothing, when more of the records than this still cannot be used [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub max_reject_share: Option<String>,
    #[command(flatten)]
    pub turn: Turn,
    #[command(flatten)]
    pub s3: S3Args,
}

impl Rejects {
    /// What was typed for this command, over what was typed for all.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        match self {
            Self::Replay(args) => {
                let max_reject_share = args.max_reject_share.clone();
                Flags { max_reject_share, s3: args.s3.flags(), ..flags }
            }
            _ => flags,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those whose reason holds this text
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only those of objects whose key holds this text
    #[arg(long, value_name = "KEY")]
    pub object: Option<String>,
    /// Name at most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// What `sparkify rejects list` calls them by
    #[arg(required = true, value_name = "OBJECT_ID:BYTE_OFFSET")]
    pub ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The file to make; `-` is standard output
    pub file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
}

pub(super) fn run(
    command: &Rejects,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let open = || super::open_loaded(settings);
    match command {
        Rejects::List(args) => list(args, open()?.as_mut(), printer),
        Rejects::Show(args) => show(args, open()?.as_mut(), printer),
        Rejects::Export(args) => export(args, open()?.as_mut(), printer),
        Rejects::Replay(args) => replay(args, settings, printer),
    }
}

fn replay(args: &Replay, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    // The objects are named by the warehouse: without one there is nothing to read again.
    drop(super::open_loaded(settings)?);
    let request = Request {
        max_reject_share: settings.max_reject_share,
        sources: Sources::new(&settings.s3),
        log_paths: settings.log_jsonpath.clone(),
        ..Request::new(None, None)
    };
    let summary = super::etl::watched(settings, &args.turn, printer, |warehouse, meter| {
        pipeline::replay(warehouse, &request, meter)
    })?;
    super::etl::tell(&summary, printer)
}

#[derive(Serialize)]
struct Listing {
    total: u64,
    reasons: Vec<ReasonCount>,
    rejects: Vec<Listed>,
}

/// A reject as one line has it.
#[derive(Serialize)]
struct Listed {
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
        listed.push(Listed { id, reason, object, position, length, excerpt });
        Ok(())
    })?;
    let total = reasons.iter().map(|reason| reason.rejects).sum();
    let listing = Listing { total, reasons, rejects: listed };
    let filtered = args.reason.is_some() || args.object.is_some();
    printer.answer(&listing, || match (total, filtered) {
        (0, false) => "no rejects: every record that was read could be used\n".into(),
        (0, true) => "no reject is like that; `sparkify rejects list` names them all\n".into(),
        _ => listing_text(&listing),
    })
}

fn listing_text(listing: &Listing) -> String {
    let reason =
        |reason: &ReasonCount| vec![visible(reason.reason.as_bytes()), grouped(reason.rejects)];
    let reasons: Vec<_> = listing.reasons.iter().map(reason).collect();
    let counts = plain_table(&["reason", "rejects"], &reasons, &[1]);
    let line = |listed: &Listed| {
        vec![
            listed.id.to_string(),
            visible(listed.reason.as_bytes()),
            visible(listed.object.as_bytes()),
            listed.position.to_string(),
            listed.length.to_string(),
            listed.excerpt.clone(),
        ]
    };
    let lines: Vec<_> = listing.rejects.iter().map(line).collect();
    let header = ["reject", "reason", "object", "position", "length", "begins with"];
    let lines = plain_table(&header, &lines, &[3, 4]);
    let (named, total) = (listing.rejects.len() as u64, listing.total);
    let end = if named < total {
        format!("{} of {}; `--limit {total}` names all", grouped(named), plural(total))
    } else {
        plural(total)
    };
    format!("{counts}\n{lines}{end}\n")
}

fn show(args: &Show, warehouse: &mut dyn Warehouse, printer: &Printer) -> Result<(), Failure> {
    let find = |written: &String| match written.parse() {
        Ok(id) => rejects::find(warehouse, id)?.ok_or_else(|| unknown(written)),
        Err(()) => Err(malformed(written)),
    };
    let found: Vec<Reject> = args.ids.iter().map(find).collect::<Result<_, Failure>>()?;
    printer.answer(&found, || found.iter().map(reject_text).collect::<Vec<_>>().join("\n"))
}

fn reject_text(reject: &Reject) -> String {
    let Reject { id, position, length, load_id, loaded_at, .. } = reject;
    let (object, reason) = (visible(reject.object.as_bytes()), visible(reject.reason.as_bytes()));
    let kept = if reject.truncated {
        format!(", of which the first {} are kept", grouped(reject.raw.0.len() as u64))
    } else {
        String::new()
    };
    let raw = shown_raw(&reject.raw, *position);
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
    let rejects = out_file::write(&args.file, args.force, |out| write_all(warehouse, out))?;
    match printer.output {
        Output::Json => {
            let done =
                serde_json::json!({ "file": args.file.display().to_string(), "rejects": rejects });
            printer.document(&done)
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
    format!("{} {}", grouped(rejects), if rejects == 1 { "reject" } else { "rejects" })
}

fn unknown(written: &str) -> Failure {
    Failure::new(format!("there is no reject `{written}`"), "`sparkify rejects list` names them")
}

fn malformed(written: &str) -> Failure {
    Failure::new(
        format!("`{}` is no reject's name", visible(written.as_bytes())),
        "it is OBJECT_ID:BYTE_OFFSET, such as `3:284`; `sparkify rejects list` names them",
    )
}
