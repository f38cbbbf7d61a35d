//! `sparkify check`: what the tables claim, and whether it holds.

use super::failure::{DATA, Failure};
use super::printer::Printer;
use sparkify_analytics::report::{grouped, plain_table};
use sparkify_config::Settings;
use sparkify_load::data_tests::{self, TestResult};

pub(super) fn run(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let mut warehouse = super::open_loaded(settings)?;
    let verdicts = data_tests::run(warehouse.as_mut(), false)?;
    printer.answer(&verdicts, || text(&verdicts))?;
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    if failed == 0 {
        printer.note(&format!("all {} checks passed", verdicts.len()));
        return Ok(());
    }
    printer.error(&format!("{failed} of {} checks failed", verdicts.len()));
    Err(Failure::told(DATA))
}

fn text(verdicts: &[TestResult]) -> String {
    let rows: Vec<Vec<String>> = verdicts
        .iter()
        .map(|verdict| {
            let passed = if verdict.passed() { "ok" } else { "FAILED" };
            vec![
                passed.into(),
                verdict.test.into(),
                verdict.description.into(),
                grouped(verdict.failing_rows),
            ]
        })
        .collect();
    let mut text = plain_table(&["", "check", "claim", "rows against it"], &rows, &[3]);
    for verdict in verdicts.iter().filter(|verdict| !verdict.passed()) {
        text.push('\n');
        let header: Vec<&str> = verdict.columns.iter().map(String::as_str).collect();
        text.push_str(verdict.test);
        text.push_str(", first rows:\n");
        text.push_str(&plain_table(&header, &verdict.samples, &[]));
    }
    text
}
