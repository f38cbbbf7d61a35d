//! `sparkify etl`: one load, with its progress and its summary.

use std::sync::Arc;

use super::args::{Etl, Turn};
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use sparkify_analytics::report::{grouped, plain_table};
use sparkify_config::{Flags, Settings};
use sparkify_load::ledger;
use sparkify_load::pipeline::{self, EtlError, Outcome, Request, Summary};
use sparkify_reader::Meter;
use sparkify_source::Sources;
use sparkify_warehouse::Warehouse;

impl Etl {
    /// What was typed for this command, over what was typed for all.
    pub(super) fn over(&self, flags: Flags) -> Flags {
        Flags {
            song_data: self.song_data.clone(),
            log_data: self.log_data.clone(),
            max_reject_share: self.max_reject_share.clone(),
            staging: self.staging.clone(),
            manifest: self.manifest.clone(),
            log_jsonpath: self.log_jsonpath.clone(),
            s3: self.s3.flags(),
            ..flags
        }
    }
}

pub(super) fn run(args: &Etl, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let request = request(args, settings)?;
    pipeline::check_request(&request)?;
    let summary = watched(settings, &args.turn, printer, |warehouse, meter| {
        pipeline::etl(warehouse, &request, meter)
    })?;
    tell(&summary, printer)
}

/// What was typed, as the pipeline takes it.
pub(super) fn request(args: &Etl, settings: &Settings) -> Result<Request, Failure> {
    let day = |written: &Option<String>| {
        let Some(written) = written else { return Ok(None) };
        ledger::day(written).map(Some).ok_or_else(|| {
            Failure::new(format!("`{written}` is not a date"), "write it as `2018-11-05`")
        })
    };
    Ok(Request {
        max_reject_share: settings.max_reject_share,
        full_refresh: args.full_refresh,
        prune: args.prune,
        since: day(&args.since)?,
        until: day(&args.until)?,
        sources: Sources::new(&settings.s3),
        log_paths: settings.log_jsonpath.clone(),
        own_file: settings.warehouse.file().and_then(|file| file.to_str().map(str::to_owned)),
        ..Request::new(settings.song_data.clone(), settings.log_data.clone())
    })
}

/// Runs a load on the warehouse of `settings`, with its progress, and closes the file: what is still in memory then is part of the load.
pub(super) fn watched(
    settings: &Settings,
    turn: &Turn,
    printer: &Printer,
    load: impl FnOnce(&mut dyn Warehouse, &Arc<Meter>) -> Result<Summary, EtlError>,
) -> Result<Summary, Failure> {
    let mut warehouse = super::open_to_write(settings, turn, printer)?;
    let meter = Arc::new(printer.meter());
    let progress = Progress::watch(&meter, printer);
    let loaded = load(warehouse.as_mut(), &meter);
    progress.end();
    loaded.map_err(Failure::from)
}

/// Answers with the summary.
pub(super) fn tell(summary: &Summary, printer: &Printer) -> Result<(), Failure> {
    printer.answer(summary, || text(summary))
}

fn text(summary: &Summary) -> String {
    let mut sections = vec![tried_again(summary), extracted(summary), notes(summary)];
    if summary.outcome == Outcome::Published {
        sections.push(doubtful(summary));
    }
    sections.push(tables(summary));
    sections.push(matched(summary));
    sections.push(steps(summary));
    sections.retain(|section| !section.is_empty());
    let headline = match (summary.outcome, summary.load_id) {
        (Outcome::Published, Some(load)) => format!("load {load} is published\n"),
        _ => format!(
            "nothing is new: {} objects are loaded already\n",
            grouped(summary.objects_skipped)
        ),
    };
    format!("{}\n{headline}", sections.join("\n"))
}

fn section(title: &str, rows: Vec<(String, String)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name, value]).collect();
    plain_table(&[title, ""], &rows, &[1])
}

/// Why the load was tried again, if it was.
fn tried_again(summary: &Summary) -> String {
    let rows = (1..)
        .zip(&summary.tried_again)
        .map(|(time, reason)| (format!("try {time}"), reason.clone()));
    section("tried again", rows.collect())
}

fn extracted(summary: &Summary) -> String {
    let mut rows = vec![
        ("objects read".to_owned(), grouped(summary.objects_read)),
        ("  of these changed since their last load".into(), grouped(summary.objects_changed)),
        ("  of these read again with others of their group".into(), grouped(summary.objects_along)),
        ("  of these copied by the warehouse itself".into(), grouped(summary.objects_fetched)),
        ("  of these read here, being refused there".into(), grouped(summary.objects_given_back)),
        ("objects skipped, loaded already".into(), grouped(summary.objects_skipped)),
        ("names ignored".into(), grouped(summary.objects_ignored.len() as u64)),
        ("objects outside the dates".into(), grouped(summary.objects_outside)),
        (
            "objects vanished, rows kept".into(),
            grouped(summary.objects_vanished.len() as u64 - summary.objects_pruned),
        ),
        ("objects vanished, rows removed".into(), grouped(summary.objects_pruned)),
        ("megabytes read".into(), format!("{:.1}", summary.bytes_read as f64 / 1e6)),
        (
            "megabytes spilled to disk, at most".into(),
            format!("{:.1}", summary.bytes_spilled as f64 / 1e6),
        ),
        ("records = staged + rejected".into(), grouped(summary.records)),
        ("  events staged".into(), grouped(summary.events_staged)),
        ("  songs staged".into(), grouped(summary.songs_staged)),
        ("  rejected".into(), grouped(summary.rejected)),
    ];
    rows.retain(|(name, value)| {
        let rare = ["  of", "objects vanished", "objects outside", "megabytes spilled"];
        !matches!(value.as_str(), "0" | "0.0") || !rare.iter().any(|start| name.starts_with(start))
    });
    section("extracted", rows)
}

/// What cannot be known.
fn notes(summary: &Summary) -> String {
    let notes: Vec<_> = summary.notes.iter().map(|note| format!("note: {note}\n")).collect();
    notes.concat()
}

/// What was odd about the input, if anything was.
fn doubtful(summary: &Summary) -> String {
    let mut rows = Vec::new();
    for (reason, count) in &summary.rejects {
        rows.push((format!("rejected: {reason}"), grouped(*count)));
    }
    for (key, count) in &summary.repairs {
        rows.push((format!("text repaired: {key}"), grouped(*count)));
    }
    for (key, count) in &summary.extra_keys {
        rows.push((format!("key not used: {}", key.escape_debug()), grouped(*count)));
    }
    if summary.duplicates > 0 {
        rows.push(("plays staged more than once".into(), grouped(summary.duplicates)));
    }
    section("doubtful", rows)
}

fn tables(summary: &Summary) -> String {
    let rows = summary.tables.iter().map(|(table, rows)| (table.clone(), grouped(*rows)));
    section("rows now", rows.collect())
}

fn matched(summary: &Summary) -> String {
    let plays = summary.rows("songplays").max(1) as f64;
    let rows = summary.matched.iter().map(|(method, count)| {
        let percent = 100.0 * *count as f64 / plays;
        (method.clone(), format!("{} ({percent:.1} %)", grouped(*count)))
    });
    section("plays matched to the catalogue", rows.collect())
}

fn steps(summary: &Summary) -> String {
    let all: f64 = summary.steps.iter().map(|step| step.seconds).sum();
    let steps = summary.steps.iter().map(|step| (step.name.clone(), step.seconds));
    let rows = steps.chain([("all".to_owned(), all)]);
    section("seconds", rows.map(|(name, seconds)| (name, format!("{seconds:.2}"))).collect())
}
