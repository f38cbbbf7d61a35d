//! `sparkify plan`: dry run of `etl`.

use super::args::Etl;
use super::etl::request;
use super::failure::Failure;
use super::printer::Printer;
use super::terminal;
use sparkify_analytics::report::grouped;
use sparkify_config::Settings;
use sparkify_load::pipeline::{self, Preview};
use sparkify_reader::visible;
use sparkify_warehouse::{Access, WarehouseError};

/// Number of keys that are printed per kind of object.
const SHOWN: usize = 10;

pub(super) fn run(args: &Etl, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let request = request(args, settings)?;
    pipeline::check_request(&request)?;
    let mut warehouse = match super::open(settings, Access::Read, printer) {
        Ok(warehouse) => Some(warehouse),
        Err(WarehouseError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let preview = pipeline::preview(warehouse.as_deref_mut(), &request)?;
    printer.result(&preview, || text(&preview))
}

fn text(preview: &Preview) -> String {
    let mut text = String::new();
    let lists = [
        ("new", &preview.new),
        ("changed", &preview.changed),
        ("read again", &preview.reread),
        ("deleted", &preview.vanished),
        ("skipped", &preview.ignored),
    ];
    for (title, keys) in lists {
        for key in keys.iter().take(SHOWN) {
            text.push_str(&format_line(title, key));
        }
        if keys.len() > SHOWN {
            let more = grouped((keys.len() - SHOWN) as u64);
            text.push_str(&format_line(title, &format!("… and {more} more")));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let count = |keys: &[String]| grouped(keys.len() as u64);
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("objects new", count(&preview.new)),
        row("objects changed", count(&preview.changed)),
        row("objects read again", count(&preview.reread)),
        row("objects deleted at the source", count(&preview.vanished)),
        row("objects unchanged", grouped(preview.unchanged)),
        row("objects outside the date range", grouped(preview.outside)),
        row("files skipped", count(&preview.ignored)),
        row("megabytes to read", format!("{:.1}", preview.bytes as f64 / 1e6)),
        row("staging rows to delete", grouped(preview.rows_retired)),
    ];
    if preview.relocated > 0 {
        rows.push(row("objects with a new location", grouped(preview.relocated)));
    }
    text.push_str(&terminal::table(&["plan", ""], &rows, &[1]));
    text.push('\n');
    let kind = if preview.incremental { "affected keys only" } else { "full rebuild" };
    if preview.tables.is_empty() {
        text.push_str("no changes\n");
    } else {
        text.push_str(&format_line("tables", &format!("{} ({kind})", preview.tables.join(", "))));
    }
    for note in &preview.notes {
        text.push_str(&format_line("note", &visible(note.as_bytes())));
    }
    for step in &preview.destructive {
        text.push_str(&format_line("destructive", step));
    }
    text
}

fn format_line(title: &str, value: &str) -> String {
    format!("{title:<13}{value}\n")
}
