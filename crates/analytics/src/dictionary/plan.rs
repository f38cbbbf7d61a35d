//! Layout of a diagram in three lanes. Tables with the most references are in the middle; related
//! tables share a side, others go to the shorter side.

use super::Table;
use super::references::Reference;

// Dimensions in SVG user units, which are CSS pixels at full size.
pub(super) const WIDTH: usize = 240;
pub(super) const HEAD: usize = 32;
pub(super) const ROW: usize = 22;
const FOOT: usize = 8;
const GAP: usize = 110;
const BETWEEN: usize = 28;
const MARGIN: usize = 44;

/// Vertical lane of the diagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Left,
    Middle,
    Right,
}

/// Table with the position of its upper left corner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub table: &'a Table,
    pub side: Lane,
    pub x: usize,
    pub y: usize,
}

/// Positions of the tables, and the size of the diagram.
pub(super) struct Plan<'a> {
    pub tables: Vec<Placed<'a>>,
    pub width: usize,
    pub height: usize,
}

/// Returns the height of a table.
pub(super) fn height(table: &Table) -> usize {
    HEAD + ROW * table.columns.len() + FOOT
}

/// Positions the tables; `references` are the foreign keys among them.
pub(super) fn plan<'a>(tables: &[&'a Table], references: &[Reference<'a>]) -> Plan<'a> {
    arrange(&sides(tables, references))
}

/// Positions tables whose lanes are known.
pub(super) fn arrange<'a>(sides: &[(&'a Table, Lane)]) -> Plan<'a> {
    let stack = |side| -> usize {
        let heights = sides.iter().filter(|(_, its)| *its == side).map(|(it, _)| height(it));
        let heights: Vec<usize> = heights.collect();
        heights.iter().sum::<usize>() + BETWEEN * heights.len().saturating_sub(1)
    };
    let highest = [Lane::Left, Lane::Middle, Lane::Right].into_iter().map(stack).max();
    let highest = highest.unwrap_or_default();
    let mut placed = Vec::new();
    for (side, place) in [(Lane::Left, 0), (Lane::Middle, 1), (Lane::Right, 2)] {
        let mut y = BETWEEN / 2 + (highest - stack(side)) / 2;
        for (table, _) in sides.iter().filter(|(_, its)| *its == side) {
            placed.push(Placed { table, side, x: MARGIN + place * (WIDTH + GAP), y });
            y += height(table) + BETWEEN;
        }
    }
    Plan { tables: placed, width: 2 * MARGIN + 3 * WIDTH + 2 * GAP, height: highest + BETWEEN }
}

fn sides<'a>(tables: &[&'a Table], references: &[Reference<'a>]) -> Vec<(&'a Table, Lane)> {
    let ends = |table: &Table| {
        let touches = |it: &&Reference<'_>| [it.from.name, it.to.name].contains(&table.name);
        references.iter().filter(touches).count()
    };
    let most = tables.iter().map(|table| ends(table)).max().unwrap_or_default();
    let mut sides: Vec<(&Table, Lane)> = Vec::new();
    let mut filled = [0, 0];
    for table in tables {
        let side = if ends(table) == most {
            Lane::Middle
        } else {
            let related_side = sides.iter().find(|(other, side)| {
                *side != Lane::Middle && related(references, table.name, other.name)
            });
            let shorter = if filled[1] < filled[0] { Lane::Right } else { Lane::Left };
            related_side.map_or(shorter, |(_, side)| *side)
        };
        match side {
            Lane::Left => filled[0] += height(table),
            Lane::Right => filled[1] += height(table),
            Lane::Middle => {}
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
