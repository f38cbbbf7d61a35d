//! Where the tables of a diagram stand: those with the most references in the middle, the others beside them, each next to what it refers to.

use super::Table;
use super::references::Reference;

/// In units of the drawing, which are a browser's pixels at full size.
pub(super) const WIDTH: usize = 240;
pub(super) const HEAD: usize = 32;
pub(super) const ROW: usize = 22;
const FOOT: usize = 8;
const GAP: usize = 110;
const BETWEEN: usize = 28;
const MARGIN: usize = 44;

/// One of the three columns of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// A table with its upper left corner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub table: &'a Table,
    pub side: Side,
    pub x: usize,
    pub y: usize,
}

/// Tables in their places, and how large the drawing is.
pub(super) struct Plan<'a> {
    pub tables: Vec<Placed<'a>>,
    pub width: usize,
    pub height: usize,
}

/// How high a table is drawn.
pub(super) fn height(table: &Table) -> usize {
    HEAD + ROW * table.columns.len() + FOOT
}

/// Puts each table in its place; `references` are those among them.
pub(super) fn plan<'a>(tables: &[&'a Table], references: &[Reference<'a>]) -> Plan<'a> {
    let sides = sides(tables, references);
    let stack = |side| -> usize {
        let heights = sides.iter().filter(|(_, its)| *its == side).map(|(it, _)| height(it));
        let heights: Vec<usize> = heights.collect();
        heights.iter().sum::<usize>() + BETWEEN * heights.len().saturating_sub(1)
    };
    let highest = [Side::Left, Side::Middle, Side::Right].into_iter().map(stack).max();
    let highest = highest.unwrap_or_default();
    let mut placed = Vec::new();
    for (side, place) in [(Side::Left, 0), (Side::Middle, 1), (Side::Right, 2)] {
        let mut y = BETWEEN / 2 + (highest - stack(side)) / 2;
        for (table, _) in sides.iter().filter(|(_, its)| *its == side) {
            placed.push(Placed { table, side, x: MARGIN + place * (WIDTH + GAP), y });
            y += height(table) + BETWEEN;
        }
    }
    Plan { tables: placed, width: 2 * MARGIN + 3 * WIDTH + 2 * GAP, height: highest + BETWEEN }
}

fn sides<'a>(tables: &[&'a Table], references: &[Reference<'a>]) -> Vec<(&'a Table, Side)> {
    let ends = |table: &Table| {
        let touches = |it: &&Reference<'_>| [it.from.name, it.to.name].contains(&table.name);
        references.iter().filter(touches).count()
    };
    let most = tables.iter().map(|table| ends(table)).max().unwrap_or_default();
    let mut sides: Vec<(&Table, Side)> = Vec::new();
    let mut filled = [0, 0];
    for table in tables {
        let side = if ends(table) == most {
            Side::Middle
        } else {
            let beside = sides.iter().find(|(other, side)| {
                *side != Side::Middle && related(references, table.name, other.name)
            });
            let shorter = if filled[1] < filled[0] { Side::Right } else { Side::Left };
            beside.map_or(shorter, |(_, side)| *side)
        };
        match side {
            Side::Left => filled[0] += height(table),
            Side::Right => filled[1] += height(table),
            Side::Middle => {}
        }
        sides.push((table, side));
    }
    sides
}

fn related(references: &[Reference<'_>], one: &str, other: &str) -> bool {
    references.iter().any(|it| {
        (it.from.name, it.to.name) == (one, other) || (it.from.name, it.to.name) == (other, one)
    })
}
