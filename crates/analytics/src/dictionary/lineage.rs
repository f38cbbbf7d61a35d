//! Lineage graph as inline SVG: from the keys of records through staging columns to columns of the
//! model.

use std::fmt::{self, Display, Formatter};

use super::plan::{Lane, Placed, arrange};
use super::svg::{connect, draw, short};
use super::words::Plain;
use super::{Column, Dictionary, Kind, Table};

/// Graph of the sources of each column of the model.
pub(super) struct Lineage<'a>(pub &'a Dictionary);

impl Lineage<'_> {
    /// Returns the lane of a table: staging, built from staging only, or built from the model too.
    fn lane(&self, table: &Table) -> Option<Lane> {
        let is_model = |name: &str| self.0.of(Kind::Model).any(|known| known.name == name);
        match table.kind {
            Kind::Staging => Some(Lane::Left),
            Kind::Model => {
                let mut sources = table.columns.iter().flat_map(Column::sources);
                let is_derived = sources.any(|(source, _)| is_model(source));
                Some(if is_derived { Lane::Right } else { Lane::Middle })
            }
            Kind::LoadMetadata => None,
        }
    }
}

impl Display for Lineage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lanes = self.0.tables.iter().filter_map(|table| Some((table, self.lane(table)?)));
        let plan = arrange(&lanes.collect::<Vec<_>>());
        let (width, height) = (plan.width, plan.height);
        write!(
            f,
            r#"<svg id="lineage-graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" aria-label="Diagram: lineage">"#
        )?;
        let place = |name: &str| plan.tables.iter().find(|placed| placed.table.name == name);
        for to in &plan.tables {
            for column in &to.table.columns {
                for (table, source) in column.sources() {
                    if let Some(from) = place(table) {
                        line((from, source), (to, column), f)?;
                    }
                }
            }
        }
        plan.tables.iter().try_for_each(|placed| draw(placed, &label, f))?;
        writeln!(f, "</svg>")
    }
}

/// Returns the record key of a staging column if it has another name, and the type of a column of
/// the model.
fn label(column: &Column) -> (&str, &str) {
    let key = column.record_keys.first().and_then(|key| key.split_once('.'));
    match (column.from, key) {
        (Some(_), _) => ("", short(column)),
        (None, Some((_, key))) if key != column.name => (key, ""),
        (None, _) => ("", ""),
    }
}

/// Draws a line that names both columns, so that the script can follow it.
fn line(
    (from, source): (&Placed<'_>, &str),
    (to, column): (&Placed<'_>, &Column),
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let ends = (from.table.index_of(source), to.table.index_of(&column.name));
    let attributes = format!(
        r#"class="line" data-from="{}.{}" data-to="{}.{}""#,
        Plain(from.table.name),
        Plain(source),
        Plain(to.table.name),
        Plain(&column.name)
    );
    connect((from, ends.0), (to, ends.1), &attributes, f)
}
