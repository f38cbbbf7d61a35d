//! `sparkify describe`: lists the tables, or the columns of one table.

use serde::Serialize;

use super::args::Describe;
use super::failure::Failure;
use super::printer::Printer;
use super::terminal;
use sparkify_analytics::report::grouped;
use sparkify_config::{Settings, suggest};
use sparkify_load::tables;
use sparkify_warehouse::{FoundColumn, Opening, SqlFile, Value, Warehouse};

#[derive(Serialize)]
struct Described {
    table: &'static str,
    description: &'static str,
    rows: u64,
    columns: Vec<DescribedColumn>,
}

#[derive(Serialize)]
struct DescribedColumn {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    description: String,
}

pub(super) fn run(args: &Describe, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let described = described(settings, args.table.as_deref(), printer)?;
    printer.result(&described, || format(&described, args.table.is_some()))
}

/// Returns the text that the command prints.
pub(super) fn text(
    settings: &Settings,
    table: Option<&str>,
    printer: &Printer,
) -> Result<String, Failure> {
    described(settings, table, printer).map(|described| format(&described, table.is_some()))
}

fn format(described: &[Described], single: bool) -> String {
    match described {
        [table] if single => columns(table),
        _ => overview(described),
    }
}

fn described(
    settings: &Settings,
    table: Option<&str>,
    printer: &Printer,
) -> Result<Vec<Described>, Failure> {
    let chosen: Vec<&SqlFile> = match table {
        Some(name) => vec![tables::find(name).ok_or_else(|| unknown(name))?],
        None => tables::all().collect(),
    };
    let mut warehouse = super::open_loaded(settings, printer)?;
    describe(warehouse.as_mut(), &chosen)
}

fn describe(
    warehouse: &mut dyn Warehouse,
    chosen: &[&'static SqlFile],
) -> Result<Vec<Described>, Failure> {
    let counts = warehouse.query_file(&sparkify_load::sql::counts::ROW_COUNTS, &[], usize::MAX)?;
    let found = warehouse.found_columns()?;
    let opening = Opening::full(warehouse.engine());
    let describe = |table: &&'static SqlFile| {
        let count = counts.rows.iter().find(|row| row[0].as_text() == Some(table.name));
        let rows = count.and_then(|row| row.get(1)).and_then(Value::as_i64).unwrap_or_default();
        let declared = table.columns(opening);
        let columns = found.iter().filter(|column| column.table == table.name).map(|column| {
            let FoundColumn { name, data_type, .. } = column.clone();
            let declared = declared.iter().find(|declared| declared.name == name);
            let description = declared.map(|column| column.description.clone()).unwrap_or_default();
            DescribedColumn { name, data_type, description }
        });
        Described {
            table: table.name,
            description: table.headline(),
            rows: u64::try_from(rows).unwrap_or_default(),
            columns: columns.collect(),
        }
    };
    Ok(chosen.iter().map(describe).collect())
}

fn overview(tables: &[Described]) -> String {
    let rows: Vec<Vec<String>> = tables
        .iter()
        .map(|table| vec![table.table.into(), grouped(table.rows), table.description.into()])
        .collect();
    terminal::table(&["table", "rows", "grain"], &rows, &[1])
}

fn columns(table: &Described) -> String {
    let rows: Vec<Vec<String>> = table
        .columns
        .iter()
        .map(|column| {
            vec![column.name.clone(), column.data_type.clone(), column.description.clone()]
        })
        .collect();
    let (name, description, count) = (table.table, table.description, grouped(table.rows));
    let columns = terminal::table(&["column", "type", "description"], &rows, &[]);
    format!("{name}: {description}\n{columns}{count} rows\n")
}

fn unknown(name: &str) -> Failure {
    let names = tables::all().map(|table| table.name);
    Failure::new(
        format!("unknown table `{name}`"),
        suggest::hint(name, names, "run `sparkify describe` to list all tables"),
    )
}
