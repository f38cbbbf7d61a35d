//! `sparkify check`: runs the data tests and prints their results.

use super::failure::{DATA, Failure};
use super::printer::Printer;
use super::progress::Progress;
use super::terminal;
use sparkify_analytics::report::grouped;
use sparkify_config::Settings;
use sparkify_load::data_tests::{self, TestResult};

pub(super) fn run(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let mut warehouse = super::open_loaded(settings, printer)?;
    let progress = Progress::of_step("data tests", printer);
    let results = data_tests::run(warehouse.as_mut())?;
    progress.end();
    printer.result_with_states(&results, || text(&results))?;
    let failed = results.iter().filter(|result| !result.passed()).count();
    if failed == 0 {
        printer.note(&format!("all {} data tests passed", results.len()));
        return Ok(());
    }
    printer.error(&format!("{failed} of {} data tests failed", results.len()));
    Err(Failure::reported(DATA))
}

fn text(results: &[TestResult]) -> String {
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|result| {
            let passed = if result.passed() { "ok" } else { "FAILED" };
            vec![
                passed.into(),
                result.test.into(),
                result.description.into(),
                grouped(result.failing_rows),
            ]
        })
        .collect();
    let mut text = terminal::table(&["", "name", "test", "failing rows"], &rows, &[3]);
    for result in results.iter().filter(|result| !result.passed()) {
        text.push('\n');
        let header: Vec<&str> = result.columns.iter().map(String::as_str).collect();
        text.push_str(result.test);
        text.push_str(", first failing rows:\n");
        text.push_str(&terminal::table(&header, &result.samples, &[]));
    }
    text
}
