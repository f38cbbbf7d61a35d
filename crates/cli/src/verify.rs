//! `sparkify verify`: compares the warehouse with expected numbers and explains differences.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;

use super::args::Verify;
use super::failure::{DATA, Failure};
use super::printer::Printer;
use super::progress::Progress;
use super::terminal;
use sparkify_analytics::report::{grouped, shown};
use sparkify_analytics::verify::{self, Explanation, Finding, Profile, Status};
use sparkify_config::Settings;
use sparkify_warehouse::{Access, Value};

pub(super) fn run(args: &Verify, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    if args.print {
        return printer.text(&verify::text(&args.profile)?);
    }
    let profile = verify::read(&args.profile)?;
    let access = if verify::is_built_in(&args.profile) { Access::Read } else { Access::Guarded };
    let mut warehouse = super::open_as(settings, access, printer)?;
    let progress = Progress::of_step("compare with the profile", printer);
    let findings = verify::run(warehouse.as_mut(), &profile)?;
    progress.end();
    let document = json!({ "profile": args.profile, "title": profile.title, "findings": findings });
    printer.result_with_states(&document, || text(&profile, &findings))?;
    end(&profile, &findings, printer)
}

fn end(profile: &Profile, findings: &[Finding], printer: &Printer) -> Result<(), Failure> {
    let count = |status| findings.iter().filter(|finding| finding.status == status).count();
    let (met, skipped) = (count(Status::Met), count(Status::Skipped));
    let (explained, unexplained) = (count(Status::Explained), count(Status::Unexplained));
    let note = match skipped {
        0 => String::new(),
        skipped => format!("; {skipped} skipped (for other data)"),
    };
    if unexplained == 0 && (explained == 0 || profile.accepts_explained) {
        let met = if explained == 0 {
            format!("all {met} expectations are met")
        } else {
            format!("{met} expectations are met, and {explained} differences are explained")
        };
        printer.note(&format!("{met}{note}"));
        return Ok(());
    }
    let differ = explained + unexplained;
    let all = met + differ;
    printer.error(&format!(
        "{differ} of {all} expectations are not met: {explained} explained, {unexplained} unexplained{note}"
    ));
    Err(Failure::reported(DATA))
}

fn text(profile: &Profile, findings: &[Finding]) -> String {
    let compared = findings.iter().filter(|finding| finding.status != Status::Skipped);
    let rows: Vec<Vec<String>> = compared.map(row).collect();
    let header = ["", "name", "expected", "found", "description"];
    let mut text = format!("{}\n\n{}", profile.title, terminal::table(&header, &rows, &[2, 3]));
    let mut skipped: BTreeMap<&str, u64> = BTreeMap::new();
    for needs in findings.iter().filter_map(|finding| finding.needs.as_deref()) {
        *skipped.entry(needs).or_default() += 1;
    }
    for (needs, count) in skipped {
        let _ = writeln!(text, "skipped: {count}, valid only if {needs}");
    }
    for finding in findings.iter().filter(|finding| finding.differs()) {
        text.push('\n');
        text.push_str(&explained(finding));
    }
    text
}

fn row(finding: &Finding) -> Vec<String> {
    let status = match finding.status {
        Status::Met => "ok",
        Status::Explained => "explained",
        Status::Unexplained => "FAILED",
        Status::Skipped => "skipped",
    };
    let (expected, found) = (written(&finding.expected), written(&finding.found));
    vec![status.into(), finding.name.clone(), expected, found, finding.description.clone()]
}

/// Formats the reconciliation: expected = found plus each cause, with sample rows of each cause.
fn explained(finding: &Finding) -> String {
    let (expected, found) = (written(&finding.expected), written(&finding.found));
    let mut sum = format!("{}: {expected} = {found}", finding.name);
    let mut parts = String::new();
    for cause in &finding.causes {
        sum.push_str(&signed(cause.adds));
        parts.push_str(&part(cause));
    }
    if let Some(left) = finding.unexplained {
        sum.push_str(&signed(left));
        let _ = writeln!(parts, "  {}  unexplained", signed(left).trim());
    } else if finding.status == Status::Unexplained {
        sum = format!("{}: expected {expected}, found {found}; unexplained", finding.name);
    }
    format!("{sum}\n{parts}")
}

fn part(cause: &Explanation) -> String {
    let mut text = format!("  {}  {}\n", signed(cause.adds).trim(), cause.description);
    let header: Vec<&str> = cause.columns.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> =
        cause.samples.iter().map(|row| row.iter().map(shown).collect()).collect();
    if rows.is_empty() {
        return text;
    }
    text.push_str(&terminal::indented_table(6, &header, &rows));
    let (all, here) = (cause.rows.unwrap_or_default(), rows.len() as u64);
    if here < all {
        let _ = writeln!(text, "      and {} more", grouped(all - here));
    }
    text
}

/// Formats a term of the sum: ` + 8`, ` - 1`.
fn signed(number: f64) -> String {
    let sign = if number < 0.0 { '-' } else { '+' };
    format!(" {sign} {}", plain(number.abs()))
}

fn written(value: &Value) -> String {
    match value {
        Value::Int(number) => plain(*number as f64),
        Value::Double(number) => plain(*number),
        other => shown(other),
    }
}

/// Formats a number: whole numbers with thousands separators, others with up to four decimals.
fn plain(number: f64) -> String {
    let whole = number.fract() == 0.0 && number.abs() < 9e15;
    if !whole {
        return format!("{}", (number * 1e4).round() / 1e4);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and small")]
    let digits = grouped(number.abs() as u64);
    if number < 0.0 { format!("-{digits}") } else { digits }
}
