//! `sparkify check`: what the tables claim, and whether it holds.

use super::failure::{DATA, Failure};
use super::printer::Printer;
use sparkify_analytics::report::{grouped, plain_table};
use sparkify_config::Settings;
use sparkify_load::quality::{self, Verdict};

pub(super) fn run(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let mut warehouse = super::open_loaded(settings)?;
    let verdicts = quality::run(warehouse.as_mut(), false)?;
    printer.answer(&verdicts, || text(&verdicts))?;
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    if failed == 0 {
        printer.note(&format!("all {} checks passed", verdicts.len()));
        return Ok(());
    }
    printer.error(&format!("{failed} of {} checks failed", verdicts.len()));
    Err(Failure::told(DATA))
}

fn text(verdicts: &[Verdict]) -> String {
    let rows: Vec<Vec<String>> = verdicts
        .iter()
        .map(|verdict| {
            let passed = if verdict.passed() { "ok" } else { "FAILED" };
            vec![
                passed.into(),
                verdict.check.into(),
                verdict.claim.into(),
                grouped(verdict.offending),
            ]
        })
        .collect();
    let mut text = plain_table(&["", "check", "claim", "rows against it"], &rows, &[3]);
    for verdict in verdicts.iter().filter(|verdict| !verdict.passed()) {
        text.push('\n');
        let header: Vec<&str> = verdict.columns.iter().map(String::as_str).collect();
        text.push_str(verdict.check);
        text.push_str(", first rows:\n");
        text.push_str(&plain_table(&header, &verdict.samples, &[]));
    }
    text
}
