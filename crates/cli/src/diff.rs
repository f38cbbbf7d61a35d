//! `sparkify diff`: compares the model tables of two warehouses.

use serde_json::{Map, Value as Json, json};

use super::args::Diff;
use super::failure::{DATA, Failure};
use super::printer::Printer;
use super::progress::Progress;
use super::terminal;
use sparkify_analytics::diff::{self, Changed, DiffError, OneSided, Side, TableDiff};
use sparkify_analytics::report::grouped;
use sparkify_config::{Flags, Settings, WarehouseUrl};
use sparkify_warehouse::{Access, Value};

pub(super) fn run(args: &Diff, flags: &Flags, printer: &Printer) -> Result<(), Failure> {
    if flags.warehouse.is_some() {
        return Err(Failure::new(
            "`sparkify diff` takes its two warehouses as arguments",
            "omit `--warehouse`",
        ));
    }
    let with = |url: &String| Flags { warehouse: Some(url.clone()), ..flags.clone() };
    let mut settings = super::settings(&with(&args.first), printer)?;
    let mut other = Settings::resolve(&with(&args.second))?;
    // Both are open at the same time and share the memory limit.
    settings.memory /= 2;
    other.memory /= 2;
    let open = |settings| super::open_any(settings, Access::Read, printer);
    let (mut first, mut second) = (open(&settings)?, open(&other)?);
    let progress = Progress::of_step("compare the tables", printer);
    let tables = diff::run(first.as_mut(), second.as_mut(), args.limit).map_err(|error| {
        let url = |side| if side == Side::First { &settings } else { &other };
        failed(error, |side| &url(side).warehouse)
    })?;
    progress.end();
    let names = [settings.warehouse.to_string(), other.warehouse.to_string()];
    printer.result(&document(&names, &tables), || text(&tables))?;
    let differ = tables.iter().filter(|table| !table.is_empty()).count();
    if differ == 0 {
        printer.note(&format!("all {} tables are equal", tables.len()));
        return Ok(());
    }
    printer.error(&format!("{differ} of {} tables differ", tables.len()));
    Err(Failure::reported(DATA))
}

fn failed<'a>(error: DiffError, url: impl Fn(Side) -> &'a WarehouseUrl) -> Failure {
    match error {
        DiffError::Missing { side, table } => Failure::new(
            format!("the warehouse `{}` has no table `{table}`", url(side)),
            "run `sparkify etl` first, or give another warehouse",
        ),
        DiffError::Warehouse { side, source } => Failure::of_warehouse(url(side), source),
    }
}

fn text(tables: &[TableDiff]) -> String {
    let rows: Vec<Vec<String>> = tables.iter().map(counts).collect();
    let header = [
        "table",
        "rows in first",
        "in second",
        "equal",
        "only in first",
        "only in second",
        "different",
        "differences per column",
    ];
    let mut text = terminal::table(&header, &rows, &[1, 2, 3, 4, 5, 6]);
    for table in tables.iter().filter(|table| !table.is_empty()) {
        let rows = samples(table);
        if !rows.is_empty() {
            text.push('\n');
            let header = [table.table, "key", "column", "in first", "in second"];
            text.push_str(&terminal::table(&header, &rows, &[]));
        }
    }
    text
}

fn counts(table: &TableDiff) -> Vec<String> {
    let columns: Vec<String> =
        table.columns.iter().map(|(name, rows)| format!("{name} {}", grouped(*rows))).collect();
    let [first, second] = table.rows;
    let [only_first, only_second] = table.only;
    let numbers = [first, second, table.same, only_first, only_second, table.differing];
    let name = [table.table.to_owned()];
    name.into_iter().chain(numbers.map(grouped)).chain([columns.join(", ")]).collect()
}

fn samples(table: &TableDiff) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (difference, rows_of) in
        ["only in first", "only in second"].into_iter().zip(&table.one_sided)
    {
        for OneSided { key, rows: [first, second] } in rows_of {
            // The count is shown only for keys with several rows.
            let counts = if first + second == 1 {
                [String::new(), String::new(), String::new()]
            } else {
                ["(rows of this key)".into(), grouped(*first), grouped(*second)]
            };
            let head = [difference.to_owned(), key_text(table, key)];
            rows.push(head.into_iter().chain(counts).collect());
        }
    }
    for Changed { key, values } in &table.changed {
        for (index, (column, [first, second])) in values.iter().enumerate() {
            let head = match index {
                0 => ["different".to_owned(), key_text(table, key)],
                _ => [String::new(), String::new()],
            };
            let rest = [column.clone(), shown(first), shown(second)];
            rows.push(head.into_iter().chain(rest).collect());
        }
    }
    rows
}

fn key_text(table: &TableDiff, key: &[Value]) -> String {
    let parts = table.key.iter().zip(key).map(|(name, value)| format!("{name} {}", shown(value)));
    parts.collect::<Vec<_>>().join(", ")
}

/// Formats a value so that null, empty text and a number stored as text can be distinguished.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "∅".into(),
        Value::Text(text) => format!("{text:?}"),
        value => value.to_string(),
    }
}

fn document(names: &[String; 2], tables: &[TableDiff]) -> Json {
    json!({
        "first": names[0],
        "second": names[1],
        "equal": tables.iter().all(TableDiff::is_empty),
        "tables": tables.iter().map(table_document).collect::<Vec<_>>(),
    })
}

fn table_document(table: &TableDiff) -> Json {
    let key = |key: &[Value]| -> Map<String, Json> {
        table.key.iter().cloned().zip(key.iter().map(|value| json!(value))).collect()
    };
    let one_sided = |row: &OneSided| json!({ "key": key(&row.key), "rows": row.rows });
    let [only_first, only_second] =
        table.one_sided.each_ref().map(|rows| rows.iter().map(one_sided).collect::<Vec<_>>());
    let changed = table.changed.iter().map(|changed| {
        let values = changed.values.iter().map(|(column, values)| {
            (column.clone(), Json::from(values.each_ref().map(|value| json!(value)).to_vec()))
        });
        json!({ "key": key(&changed.key), "values": values.collect::<Map<_, _>>() })
    });
    let columns = table.columns.iter().map(|(name, rows)| (name.clone(), Json::from(*rows)));
    json!({
        "table": table.table,
        "rows": table.rows,
        "same": table.same,
        "only_in_first": table.only[0],
        "only_in_second": table.only[1],
        "differ": table.differing,
        "columns": columns.collect::<Map<_, _>>(),
        "samples": {
            "only_in_first": only_first,
            "only_in_second": only_second,
            "differ": changed.collect::<Vec<_>>(),
        },
    })
}
