//! Entity-relationship diagram as inline SVG. Tables and columns link to their descriptions.

use std::fmt::{self, Display, Formatter};

use super::plan::{HEAD, Lane, Placed, ROW, WIDTH, height, plan};
use super::references::Reference;
use super::words::Plain;
use super::{Column, Table};

/// Horizontal swing of a line between two tables in the same lane.
const SWING: isize = 38;
/// Space at the end of a line for its arrow head.
const TIP: isize = 7;

/// Diagram of tables with the foreign keys among them.
pub(super) struct Diagram<'a> {
    pub title: &'a str,
    pub tables: &'a [&'a Table],
    pub references: &'a [Reference<'a>],
}

impl Display for Diagram<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_here = |table: &Table| self.tables.iter().any(|here| here.name == table.name);
        let among = self.references.iter().filter(|it| is_here(it.from) && is_here(it.to));
        let among: Vec<Reference<'_>> = among.copied().collect();
        let plan = plan(self.tables, &among);
        let (width, height, title) = (plan.width, plan.height, Plain(self.title));
        write!(
            f,
            r#"<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" aria-label="Diagram: {title}">"#
        )?;
        for reference in &among {
            let place = |table: &Table| plan.tables.iter().find(|it| it.table.name == table.name);
            if let (Some(from), Some(to)) = (place(reference.from), place(reference.to)) {
                line(reference, from, to, f)?;
            }
        }
        plan.tables.iter().try_for_each(|placed| draw(placed, &|it| (key_of(it), short(it)), f))?;
        writeln!(f, "</svg>")
    }
}

/// Returns the mark of a key.
fn key_of(column: &Column) -> &str {
    match (column.key, column.references) {
        (true, Some(_)) => "PK FK",
        (true, None) => "PK",
        (false, Some(_)) => "FK",
        (false, None) => "",
    }
}

/// Draws a line from the column to the referenced key; dashed if the column may be null.
fn line(
    reference: &Reference<'_>,
    from: &Placed<'_>,
    to: &Placed<'_>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let ends = (from.table.index_of(&reference.column.name), to.table.index_of_key());
    let class = if reference.column.nullable { "line maybe" } else { "line" };
    connect((from, ends.0), (to, ends.1), &format!("class=\"{class}\""), f)
}

/// Draws a line between the rows of two columns, with an arrow head at its end.
pub(super) fn connect(
    (from, from_row): (&Placed<'_>, Option<usize>),
    (to, to_row): (&Placed<'_>, Option<usize>),
    attributes: &str,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let middle = |placed: &Placed<'_>, place: Option<usize>| {
        signed(placed.y + HEAD + ROW * place.unwrap_or_default() + ROW / 2)
    };
    let (start_y, end_y) = (middle(from, from_row), middle(to, to_row));
    let (left, right) = (|it: &Placed<'_>| signed(it.x), |it: &Placed<'_>| signed(it.x + WIDTH));
    // Lines leave a table on the side of their target; within a lane, on the outer side.
    let (start, end, out, into) = if from.x < to.x {
        (right(from), left(to), 1, -1)
    } else if from.x > to.x {
        (left(from), right(to), -1, 1)
    } else if from.side == Lane::Left {
        (left(from), left(to), -1, -1)
    } else {
        (right(from), right(to), 1, 1)
    };
    let swing = if from.x == to.x { SWING } else { (end - start).abs() / 2 };
    let tip = end + into * TIP;
    write!(
        f,
        r#"<path {attributes} d="M{start} {start_y}C{} {start_y} {} {end_y} {tip} {end_y}"/>"#,
        start + out * swing,
        end + into * swing,
    )?;
    write!(f, r#"<path class="tip" d="M{end} {end_y}l{0} -5v10z"/>"#, into * (TIP + 2))
}

fn signed(length: usize) -> isize {
    isize::try_from(length).unwrap_or(isize::MAX)
}

/// Mark of a column, which stands out, and the text after it.
pub(super) type Label<'a> = &'a dyn for<'b> Fn(&'b Column) -> (&'b str, &'b str);

/// Draws a table, with a label at the right of each column.
pub(super) fn draw(placed: &Placed<'_>, label: Label<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    let Placed { table, x, y, .. } = *placed;
    let (name, tall) = (Plain(table.name), height(table));
    write!(f, r#"<rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{tall}" rx="6"/>"#)?;
    write!(
        f,
        r##"<a href="#{name}"><text class="name" x="{}" y="{}">{name}</text></a>"##,
        x + 12,
        y + 21
    )?;
    let below = y + HEAD - 2;
    write!(f, r#"<path class="rule" d="M{x} {below}h{WIDTH}"/>"#)?;
    let rows = table.columns.iter().enumerate();
    rows.map(|(place, column)| (y + HEAD + ROW * place + 16, column))
        .try_for_each(|(base, column)| row(table, column, label, (x, base), f))
}

fn row(
    table: &Table,
    column: &Column,
    label: Label<'_>,
    (x, base): (usize, usize),
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let (of, name) = (Plain(table.name), Plain(&column.name));
    let class = if column.key { "key" } else { "column" };
    write!(
        f,
        r##"<a href="#{of}.{name}"><text class="{class}" x="{}" y="{base}">{name}</text></a>"##,
        x + 12
    )?;
    let (mark, rest) = label(column);
    let space = if mark.is_empty() || rest.is_empty() { "" } else { " " };
    write!(
        f,
        r#"<text class="type" x="{}" y="{base}"><tspan class="mark">{}</tspan>{space}{}</text>"#,
        x + WIDTH - 12,
        Plain(mark),
        Plain(rest)
    )
}

/// Returns the type of a column in a form that fits: without its length or collation.
pub(super) fn short(column: &Column) -> &str {
    match column.data_type.as_str() {
        "timestamp without time zone" => "timestamp",
        "double precision" => "double",
        other => other.split(['(', ' ']).next().unwrap_or_default(),
    }
}
