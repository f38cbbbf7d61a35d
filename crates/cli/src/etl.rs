//! `sparkify etl`: runs a load and prints its summary.

use std::path::Path;
use std::sync::Arc;

use super::args::{Etl, ListingArgs};
use super::failure::Failure;
use super::load_summary;
use super::printer::{Output, Printer};
use super::progress::Progress;
use super::signals;
use super::terminal;
use sparkify_analytics::report::grouped;
use sparkify_config::{Flags, Settings};
use sparkify_load::ledger::{self, Relocation};
use sparkify_load::log_format::ChosenFormat;
use sparkify_load::pipeline::{self, DamagedObject, EtlError, Outcome, Request, Summary};
use sparkify_reader::{ErasureKey, Meter, visible};
use sparkify_source::{ListOptions, Sources};
use sparkify_warehouse::{Access, Warehouse};

/// Number of damaged objects that the short summary names.
const MAX_DAMAGED: usize = 3;

impl Etl {
    /// Adds the options of this command to the global ones.
    pub(super) fn merge_into(&self, flags: Flags) -> Flags {
        Flags {
            song_data: self.song_data.clone(),
            log_data: self.log_data.clone(),
            max_reject_share: self.max_reject_share.clone(),
            staging: self.staging.clone(),
            manifest: self.manifest.clone(),
            log_format: self.log_format.log_format.clone(),
            log_jsonpath: self.log_format.log_jsonpath.clone(),
            s3: self.s3.flags(),
            ..flags
        }
    }
}

pub(super) fn run(args: &Etl, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let request = request(args, settings)?;
    pipeline::check_request(&request)?;
    let meter = cancellable_meter(printer)?;
    let progress = Progress::watch(&meter, printer);
    let listed = pipeline::list(&request, &meter)?;
    progress.end();
    let summary = run_with_progress(settings, &meter, printer, |warehouse| {
        pipeline::etl(warehouse, &request, listed)
    })?;
    let locations = [&request.song_data, &request.log_data];
    let locations: Vec<_> =
        locations.into_iter().flatten().map(|location| format!("`{location}`")).collect();
    let nothing = if summary.objects_skipped > 0 {
        let skipped = summary.objects_skipped;
        let files = if skipped == 1 { "file is" } else { "files are" };
        format!("nothing to load: {} {files} loaded already", grouped(skipped))
    } else if summary.objects_outside > 0 {
        "nothing to load: no file in the date range".into()
    } else {
        format!("no files found in {}", locations.join(" or "))
    };
    print_summary(&summary, &nothing, printer)
}

/// Converts the arguments into the request of a load.
pub(super) fn request(args: &Etl, settings: &Settings) -> Result<Request, Failure> {
    let day = |written: &Option<String>| {
        let Some(written) = written else { return Ok(None) };
        ledger::day(written).map(Some).ok_or_else(|| {
            Failure::new(format!("`{written}` is not a date"), "write it as `2018-11-05`")
        })
    };
    let relocations = args.relocate.iter().map(|written| relocation(written));
    let ListingArgs { follow_links, allow_empty, strict_listing } = args.listing;
    let options =
        ListOptions { follow_links, strict: strict_listing, require_objects: !allow_empty };
    let sources = Sources::new(&settings.s3).with_options(options);
    Ok(Request {
        max_reject_share: settings.max_reject_share,
        full_refresh: args.full_refresh,
        verify_content: args.verify_content,
        prune: args.prune,
        relocations: relocations.collect::<Result<_, _>>()?,
        since: day(&args.since)?,
        until: day(&args.until)?,
        log_format: log_format(settings, &sources)?,
        sources,
        erasure_key: erasure_key(settings),
        own_file: settings.warehouse.file().and_then(|file| file.to_str().map(str::to_owned)),
        ..Request::new(settings.song_data.clone(), settings.log_data.clone())
    })
}

/// Reads the log format that is configured.
pub(super) fn log_format(settings: &Settings, sources: &Sources) -> Result<ChosenFormat, Failure> {
    let (setting, log_data) = (settings.log_format.as_ref(), settings.log_data.as_deref());
    Ok(ChosenFormat::resolve(setting, log_data, sources)?)
}

/// Returns the key of the hashes of erased persons.
pub(super) fn erasure_key(settings: &Settings) -> Option<ErasureKey> {
    settings.erasure_key.as_ref().map(|key| ErasureKey::new(key.reveal()))
}

/// Parses `OLD=NEW`. A location may contain `=`, as partitions do (`year=2018`): the separator is
/// the first `=` before an absolute location, or else the first.
fn relocation(written: &str) -> Result<Relocation, Failure> {
    let is_absolute = |place: &str| place.starts_with('/') || place.starts_with("s3://");
    let separators = || written.match_indices('=').map(|(at, _)| at);
    let separator = separators().find(|at| is_absolute(&written[at + 1..]));
    let parts = separator.or_else(|| separators().next());
    let parts = parts.map(|at| (&written[..at], &written[at + 1..]));
    match parts.filter(|(old, new)| !old.is_empty() && !new.is_empty()) {
        Some((old, new)) => Ok(Relocation { old: location(old), new: location(new) }),
        None => Err(Failure::new(
            format!("`{}` is not a relocation", visible(written.as_bytes())),
            "write it as OLD=NEW, for example `/old/log_data=s3://bucket/log_data`",
        )),
    }
}

/// Returns a location as keys begin with it: absolute and without links. Of a folder that no longer
/// exists, the part that exists is resolved.
fn location(written: &str) -> String {
    let path = written.strip_prefix("file://").unwrap_or(written);
    if path.contains("://") {
        return path.trim_end_matches('/').to_owned();
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_owned());
    let resolved = path.ancestors().find_map(|ancestor| {
        let rest = path.strip_prefix(ancestor).ok()?;
        Some(ancestor.canonicalize().ok()?.join(rest))
    });
    let path = resolved.unwrap_or(path);
    path.to_string_lossy().trim_end_matches('/').to_owned()
}

/// Returns the meter of a load that Ctrl-C cancels.
pub(super) fn cancellable_meter(printer: &Printer) -> Result<Arc<Meter>, Failure> {
    let meter = Arc::new(printer.meter());
    signals::cancel_load(&meter, printer)?;
    Ok(meter)
}

/// Runs a load on the warehouse of `settings` with a progress line, then closes the warehouse:
/// a `DuckDB` file is complete only after its last changes are written on close.
pub(super) fn run_with_progress(
    settings: &Settings,
    meter: &Arc<Meter>,
    printer: &Printer,
    load: impl FnOnce(&mut dyn Warehouse) -> Result<Summary, EtlError>,
) -> Result<Summary, Failure> {
    let mut warehouse = super::open(settings, Access::Write, printer)?;
    let progress = Progress::watch(meter, printer);
    let loaded = load(warehouse.as_mut());
    progress.end();
    loaded.map_err(Failure::from)
}

/// Prints the summary of a load. `nothing` is the last line if there was nothing to load.
pub(super) fn print_summary(
    summary: &Summary,
    nothing: &str,
    printer: &Printer,
) -> Result<(), Failure> {
    for left in &summary.objects_left {
        let reason = visible(left.reason.as_bytes());
        printer.warn(&format!("{reason}: left for the next run"));
    }
    if printer.is_quiet() && printer.output == Output::Text {
        return Ok(());
    }
    printer.result(summary, || {
        let named = if printer.is_verbose() { usize::MAX } else { MAX_DAMAGED };
        let named = &summary.damaged[..summary.damaged.len().min(named)];
        let damaged = damaged_lines(named, summary.objects_damaged);
        let damaged: Vec<_> = damaged.iter().map(|line| format!("damaged: {line}\n")).collect();
        let account = if printer.is_verbose() {
            complete_account(summary)
        } else {
            load_summary::lines(summary)
        };
        let headline = match (summary.outcome, summary.load_id) {
            (Outcome::Published, Some(load)) => format!("load {load} is published"),
            _ => nothing.to_owned(),
        };
        format!("{}{account}\n{headline}\n", damaged.concat())
    })
}

fn complete_account(summary: &Summary) -> String {
    let mut sections = vec![retries(summary), extracted(summary), notes(summary)];
    if summary.outcome == Outcome::Published {
        sections.push(warnings(summary));
    }
    sections.push(tables(summary));
    sections.push(matched(summary));
    sections.push(steps(summary));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

fn section(title: &str, rows: Vec<(String, String)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name, value]).collect();
    terminal::table(&[title, ""], &rows, &[1])
}

/// Formats objects that staged no record, or lost more than the permitted share of their bytes.
pub(super) fn damaged_lines(damaged: &[DamagedObject], total: u64) -> Vec<String> {
    let line = |object: &DamagedObject| {
        let DamagedObject { staged, rejected, bytes, rejected_bytes, .. } = object;
        let key = visible(object.object.as_bytes());
        let records = |count: u64| if count == 1 { "record" } else { "records" };
        let [kept, refused] = [records(*staged), records(*rejected)];
        let lost = 100.0 * *rejected_bytes as f64 / (*bytes).max(1) as f64;
        let [staged, rejected] = [staged, rejected].map(|count| grouped(*count));
        let reason = visible(object.reason.as_bytes());
        format!(
            "`{key}`: {staged} {kept} staged, {rejected} {refused} rejected, {lost:.2} % of its bytes: {reason}"
        )
    };
    let mut lines: Vec<String> = damaged.iter().map(line).collect();
    let more = total - damaged.len() as u64;
    if more > 0 {
        lines.push(format!("and {} more objects", grouped(more)));
    }
    lines
}

/// Lists the failed attempts of a load that was retried, with their errors.
fn retries(summary: &Summary) -> String {
    let rows = (1..)
        .zip(&summary.retries)
        .map(|(attempt, error)| (format!("attempt {attempt}"), error.clone()));
    section("retries", rows.collect())
}

fn extracted(summary: &Summary) -> String {
    let records = match (summary.left_out, summary.erased) {
        (0, 0) => "records = staged + rejected",
        (0, _) => "records = staged + rejected + erased",
        (_, 0) => "records = staged + rejected + left out",
        _ => "records = staged + rejected + left out + erased",
    };
    let mut rows = vec![
        ("objects read".to_owned(), grouped(summary.objects_read)),
        ("  changed since their last load".into(), grouped(summary.objects_changed)),
        ("  read again with their COPY group".into(), grouped(summary.objects_recopied)),
        ("  copied by the warehouse".into(), grouped(summary.objects_copied)),
        (
            "  read here after COPY rejected records".into(),
            grouped(summary.objects_parsed_after_copy),
        ),
        ("objects skipped, loaded already".into(), grouped(summary.objects_skipped)),
        ("files skipped".into(), grouped(summary.objects_ignored.len() as u64)),
        ("objects outside the date range".into(), grouped(summary.objects_outside)),
        (
            "objects deleted at the source, rows kept".into(),
            grouped((summary.objects_vanished.len() as u64).saturating_sub(summary.objects_pruned)),
        ),
        ("objects deleted at the source, rows pruned".into(), grouped(summary.objects_pruned)),
        ("objects with a new location".into(), grouped(summary.objects_relocated)),
        ("objects left for the next run".into(), grouped(summary.objects_left.len() as u64)),
        ("megabytes read".into(), format!("{:.1}", summary.bytes_read as f64 / 1e6)),
        (
            "megabytes spilled to disk (peak)".into(),
            format!("{:.1}", summary.bytes_spilled as f64 / 1e6),
        ),
        (records.into(), grouped(summary.records)),
        ("  events staged".into(), grouped(summary.events_staged)),
        ("  songs staged".into(), grouped(summary.songs_staged)),
        ("  rejected".into(), grouped(summary.rejected)),
        ("  left out, no plays".into(), grouped(summary.left_out)),
        ("  of erased persons".into(), grouped(summary.erased)),
        ("  megabytes rejected".into(), format!("{:.1}", summary.rejected_bytes as f64 / 1e6)),
    ];
    // Rows that are zero in most loads are shown only if they are not.
    rows.retain(|(name, value)| {
        let always = ["objects read", "objects skipped", "files", "megabytes read", "records"];
        let kinds = ["  events staged", "  songs staged", "  rejected"];
        let shown = always.iter().chain(&kinds).any(|start| name.starts_with(start));
        shown || !matches!(value.as_str(), "0" | "0.0")
    });
    section("extracted", rows)
}

/// Formats the upgrade and the limitations of this load.
fn notes(summary: &Summary) -> String {
    let line = |note: &String| format!("note: {}\n", visible(note.as_bytes()));
    let upgraded = load_summary::upgraded(summary);
    let upgraded = upgraded.map(|layouts| format!("the warehouse was upgraded {layouts}"));
    let notes: Vec<_> = upgraded.iter().chain(&summary.notes).map(line).collect();
    notes.concat()
}

/// Counts rejected records, repaired text, unused keys and duplicate plays.
fn warnings(summary: &Summary) -> String {
    let mut rows = Vec::new();
    for (reason, count) in &summary.rejects {
        rows.push((format!("rejected: {reason}"), grouped(*count)));
    }
    for (name, count) in &summary.not_plays {
        rows.push((format!("no play: {}", name.escape_debug()), grouped(*count)));
    }
    for (key, count) in &summary.repairs {
        rows.push((format!("text repaired: {key}"), grouped(*count)));
    }
    for (key, count) in &summary.extra_keys {
        rows.push((format!("unused key: {}", key.escape_debug()), grouped(*count)));
    }
    if summary.duplicates > 0 {
        rows.push(("duplicate plays".into(), grouped(summary.duplicates)));
    }
    section("warnings", rows)
}

fn tables(summary: &Summary) -> String {
    let rows = summary.tables.iter().map(|(table, rows)| (table.clone(), grouped(*rows)));
    section("rows in the tables", rows.collect())
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
    let steps = summary.steps.iter().map(|step| (step.name.clone(), step.seconds));
    let rows = steps.chain([("total".to_owned(), summary.seconds)]);
    section("seconds", rows.map(|(name, seconds)| (name, format!("{seconds:.2}"))).collect())
}
