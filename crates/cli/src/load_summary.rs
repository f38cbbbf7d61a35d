//! Short summary of a load: what was read, what was rejected, how long it took, what to do next.
//! The complete account is printed with `-v`.

use std::fmt::Write as _;

use sparkify_analytics::report::grouped;
use sparkify_load::layout::CURRENT;
use sparkify_load::pipeline::{Outcome, Summary};

/// Name of the match method of plays that match no song, as `match_coverage.sql` returns it.
const UNMATCHED: &str = "not in the catalogue";

/// Formats the lines of a load that was published or found nothing new, without its last line.
pub(super) fn lines(summary: &Summary) -> String {
    let mut lines: Vec<_> =
        upgraded(summary).map(|upgraded| ("upgraded", upgraded)).into_iter().collect();
    lines.push(("objects", objects(summary)));
    if summary.outcome == Outcome::Published {
        lines.push(("records", records(summary)));
        lines.extend(plays(summary).map(|plays| ("plays", plays)));
        lines.extend(warnings(summary).map(|warnings| ("warnings", warnings)));
    }
    lines.push(("seconds", format!("{:.2}", summary.seconds)));
    let lines: Vec<_> = lines.iter().map(|(name, text)| format!("{name:<9}  {text}\n")).collect();
    lines.concat()
}

/// Formats the upgrade of an older layout.
pub(super) fn upgraded(summary: &Summary) -> Option<String> {
    summary.upgraded_from.map(|from| format!("from layout {from} to {}", CURRENT.layout))
}

fn objects(summary: &Summary) -> String {
    let mut text = format!("{} read", grouped(summary.objects_read));
    let parts = [
        (summary.objects_changed, format!("{} changed", grouped(summary.objects_changed))),
        (summary.bytes_read, size(summary.bytes_read)),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(count, _)| *count > 0).map(|it| it.1).collect();
    if !parts.is_empty() {
        let _ = write!(text, " ({})", parts.join(", "));
    }
    let kept = summary.objects_vanished.len() as u64 - summary.objects_pruned;
    for (count, what) in [
        (summary.objects_copied, "copied by the warehouse"),
        (summary.objects_left.len() as u64, "left for the next run"),
        (summary.objects_skipped, "loaded already"),
        (summary.objects_outside, "outside of the date range"),
        (summary.objects_ignored.len() as u64, "skipped by name"),
        (summary.objects_pruned, "pruned"),
        (kept, "deleted at the source, rows kept (`--prune` deletes them)"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {} {what}", grouped(count));
        }
    }
    text
}

fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 100_000.0 {
        format!("{:.1} kB", bytes / 1e3)
    } else {
        format!("{:.1} MB", bytes / 1e6)
    }
}

fn records(summary: &Summary) -> String {
    let events = format!("{} events", grouped(summary.events_staged));
    let songs = format!("{} songs", grouped(summary.songs_staged));
    let rejected = match summary.rejected {
        0 => "none rejected".to_owned(),
        rejected => format!("{} rejected: `sparkify rejects list` shows them", grouped(rejected)),
    };
    let not_plays = not_plays(summary);
    let erased = match summary.erased {
        0 => String::new(),
        erased => format!(", {} of erased persons left out", grouped(erased)),
    };
    format!("{events} and {songs} staged, {rejected}{erased}{not_plays}")
}

/// Returns the number of records that are no plays, by name, as the continuation of a sentence.
fn not_plays(summary: &Summary) -> String {
    let counts = summary.not_plays.iter();
    let named: Vec<_> = counts
        .map(|(name, count)| format!("{} {}", grouped(*count), name.escape_debug()))
        .collect();
    if named.is_empty() { String::new() } else { format!("; no plays: {}", named.join(", ")) }
}

fn plays(summary: &Summary) -> Option<String> {
    let plays = summary.rows("songplays");
    let unmatched = summary.matched.iter().filter(|(method, _)| method == UNMATCHED);
    let unmatched: u64 = unmatched.map(|(_, plays)| plays).sum();
    if plays > 0 && summary.rows("songs") == 0 {
        return Some(format!("{} in the warehouse, which has no song catalogue", grouped(plays)));
    }
    (plays > 0).then(|| {
        let matched = plays.saturating_sub(unmatched);
        let percent = 100.0 * matched as f64 / plays as f64;
        format!(
            "{} in the warehouse, {} ({percent:.1} %) matched to the catalogue",
            grouped(plays),
            grouped(matched)
        )
    })
}

fn warnings(summary: &Summary) -> Option<String> {
    let total = |counts: &std::collections::BTreeMap<String, u64>| counts.values().sum::<u64>();
    let counts = [
        (total(&summary.repairs), "texts repaired"),
        (summary.duplicates, "duplicate plays"),
        (summary.extra_keys.len() as u64, "unknown keys"),
        (summary.notes.len() as u64, "limitations of a direct COPY"),
        (summary.retries.len() as u64, "failed attempts retried"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, what)| format!("{} {what}", grouped(count))).collect();
    (!counts.is_empty()).then(|| format!("{}; `-v` lists them", counts.join(", ")))
}
