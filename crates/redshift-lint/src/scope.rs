//! Scopes of queries: visible tables, and references to tables of outer queries.
//!
//! Redshift cannot decorrelate every correlated subquery. The tables of a query are known only when
//! its FROM clause was read, so references to `name.column` are collected first and resolved when
//! their query ends. What does not resolve moves to the enclosing scope.

use std::collections::BTreeSet;

use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::violation::Violation;

/// Role of a query in the query around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The statement's own query.
    Outermost,
    /// Table in FROM, or CTE: no outer tables are visible in it.
    FromItem,
    /// Value or condition.
    Scalar,
    /// Operand of IN, ANY or ALL.
    In,
}

/// `name.column`, where `name` may be a table of an outer query.
#[derive(Debug, Clone)]
struct Reference {
    name: String,
    at: usize,
    /// Number of enclosing queries that the reference has left.
    levels: u32,
    /// True if one of these queries is a FROM item.
    through_from_item: bool,
}

/// Names and features of one SELECT, or of one statement that changes rows.
#[derive(Debug)]
pub(crate) struct Scope {
    position: Position,
    /// Clause of the outer query that contains this query.
    clause: Clause,
    tables: BTreeSet<String>,
    references: Vec<Reference>,
    /// CTEs that the query may read.
    pub ctes: BTreeSet<String>,
    /// Offset of the first window function.
    pub window: Option<usize>,
    /// True if the query has GROUP BY.
    pub grouped: bool,
    /// Offset of the first aggregate other than min and max.
    pub aggregate: Option<usize>,
}

impl Parser<'_> {
    pub(crate) fn open_scope(&mut self, position: Position) {
        let scope = Scope {
            position,
            clause: self.clause,
            tables: BTreeSet::new(),
            references: Vec::new(),
            ctes: BTreeSet::new(),
            window: None,
            grouped: false,
            aggregate: None,
        };
        self.scopes.push(scope);
    }

    pub(crate) fn current_scope(&mut self) -> Option<&mut Scope> {
        self.scopes.last_mut()
    }

    /// Adds a table of the current query, under its alias if it has one.
    pub(crate) fn add_table(&mut self, name: String) {
        if let Some(scope) = self.current_scope() {
            scope.tables.insert(name);
        }
    }

    /// Returns true if the current query has a table of this name so far.
    pub(crate) fn has_table(&self, name: &str) -> bool {
        self.scopes.last().is_some_and(|scope| scope.tables.contains(name))
    }

    pub(crate) fn is_cte(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.ctes.contains(name))
    }

    /// Records `name.column` for the current query.
    pub(crate) fn add_reference(&mut self, name: String, at: usize) {
        if let Some(scope) = self.current_scope() {
            let reference = Reference { name, at, levels: 0, through_from_item: false };
            scope.references.push(reference);
        }
    }

    /// Ends a query, and moves its unresolved references to the query around it.
    pub(crate) fn close_scope(&mut self) -> Parsed {
        let Some(inner) = self.scopes.pop() else { return Ok(()) };
        if self.scopes.is_empty() {
            return Ok(());
        }
        let from_item = inner.position == Position::FromItem;
        let unresolved = inner.references.iter().filter(|it| !inner.tables.contains(&it.name));
        let mut moved = Vec::new();
        for reference in unresolved {
            let levels = reference.levels + 1;
            let through_from_item = reference.through_from_item || from_item;
            let outer = Reference { levels, through_from_item, ..reference.clone() };
            check_correlation(&inner, &outer)?;
            moved.push(outer);
        }
        if let Some(scope) = self.current_scope() {
            scope.references.extend(moved);
        }
        Ok(())
    }

    /// Checks the references of inner queries that resolve to tables of the current query. Called
    /// when all its tables are known.
    pub(crate) fn check_outer_references(&self) -> Parsed {
        let Some(scope) = self.scopes.last() else { return Ok(()) };
        let resolved = scope.references.iter().filter(|it| scope.tables.contains(&it.name));
        for Reference { name, at, levels, through_from_item } in resolved {
            if *through_from_item {
                let message = format!("a subquery in FROM refers to the outer table `{name}`");
                return Err(Violation::new(&rules::LATERAL, *at, message));
            }
            if *levels > 1 {
                let message =
                    format!("a subquery refers to the table `{name}`, which is {levels} levels up");
                return Err(Violation::new(&rules::CORRELATION_SKIPS, *at, message));
            }
        }
        Ok(())
    }
}

/// Checks whether the query `inner` may contain a correlated reference.
///
/// The reference has just left `inner`, so `levels` is 1; with more, an inner query was checked.
fn check_correlation(inner: &Scope, reference: &Reference) -> Parsed {
    let Reference { name, at, .. } = reference;
    let correlated = matches!(inner.position, Position::Scalar | Position::In);
    if !correlated || reference.levels > 1 {
        return Ok(());
    }
    if inner.clause == Clause::OuterJoin {
        let message = format!("a subquery in an outer join's condition refers to `{name}`");
        return Err(Violation::new(&rules::CORRELATION_JOIN, *at, message));
    }
    if inner.window.is_some() {
        let message = format!("a subquery with a window function refers to the outer `{name}`");
        return Err(Violation::new(&rules::CORRELATION_WINDOW, *at, message));
    }
    if inner.position == Position::In && inner.grouped && inner.aggregate.is_some() {
        let message = format!("a subquery with GROUP BY refers to the outer `{name}`");
        return Err(Violation::new(&rules::CORRELATION_GROUP, *at, message));
    }
    Ok(())
}
