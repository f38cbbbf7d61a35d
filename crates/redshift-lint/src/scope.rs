//! Which tables a query sees, and which columns of queries further out it reads: the correlations that Redshift cannot undo.

use std::collections::BTreeSet;

use crate::parser::{Clause, Parsed, Parser};
use crate::refusal::Refusal;
use crate::rules;

/// How a query stands in the one around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The statement's own query.
    Outermost,
    /// A table in FROM, or a CTE: it sees nothing of what is around it.
    Table,
    /// A value or a condition.
    Value,
    /// Behind IN.
    In,
}

/// `name.column`, of a table that may be further out.
#[derive(Debug, Clone)]
struct Reference {
    name: String,
    at: usize,
    /// How many queries lie between.
    hops: u32,
    /// Whether the way out led through a table in FROM.
    through_table: bool,
}

/// One SELECT, or one statement that changes rows.
#[derive(Debug)]
pub(crate) struct Scope {
    position: Position,
    /// Where the expression stood that this query is part of.
    clause: Clause,
    names: BTreeSet<String>,
    references: Vec<Reference>,
    /// Names of the CTEs that the query may read.
    pub ctes: BTreeSet<String>,
    pub window: Option<usize>,
    pub grouped: bool,
    /// The first aggregate but min and max.
    pub aggregate: Option<usize>,
}

impl Parser<'_> {
    pub(crate) fn open_scope(&mut self, position: Position) {
        let scope = Scope {
            position,
            clause: self.clause,
            names: BTreeSet::new(),
            references: Vec::new(),
            ctes: BTreeSet::new(),
            window: None,
            grouped: false,
            aggregate: None,
        };
        self.scopes.push(scope);
    }

    pub(crate) fn scope(&mut self) -> Option<&mut Scope> {
        self.scopes.last_mut()
    }

    /// A table that the query reads, by the name that its columns are reached by.
    pub(crate) fn sees(&mut self, name: String) {
        if let Some(scope) = self.scope() {
            scope.names.insert(name);
        }
    }

    /// Whether a table of this name is in sight here.
    pub(crate) fn in_sight(&self, name: &str) -> bool {
        self.scopes.last().is_some_and(|scope| scope.names.contains(name))
    }

    pub(crate) fn is_cte(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.ctes.contains(name))
    }

    /// A column is read as `name.column`.
    pub(crate) fn refers(&mut self, name: String, at: usize) {
        if let Some(scope) = self.scope() {
            scope.references.push(Reference { name, at, hops: 0, through_table: false });
        }
    }

    /// Ends a query: what it reads and does not have is looked for further out.
    pub(crate) fn close_scope(&mut self) -> Parsed {
        let Some(inner) = self.scopes.pop() else { return Ok(()) };
        if self.scopes.is_empty() {
            return Ok(());
        }
        let table = inner.position == Position::Table;
        let foreign = inner.references.iter().filter(|it| !inner.names.contains(&it.name));
        let mut passed = Vec::new();
        for reference in foreign {
            let hops = reference.hops + 1;
            let through_table = reference.through_table || table;
            let outer = Reference { hops, through_table, ..reference.clone() };
            self.check_reference(&inner, &outer)?;
            passed.push(outer);
        }
        if let Some(scope) = self.scope() {
            scope.references.extend(passed);
        }
        Ok(())
    }

    /// A reference that has left `inner`. The tables of the query around it may stand further on in the text: then it is met again when that one closes.
    #[expect(clippy::unused_self, reason = "one of the parser's rules")]
    fn check_reference(&self, inner: &Scope, reference: &Reference) -> Parsed {
        let Reference { name, at, .. } = reference;
        let correlated = matches!(inner.position, Position::Value | Position::In);
        if !correlated || reference.hops > 1 {
            return Ok(());
        }
        if inner.clause == Clause::OuterJoin {
            let message = format!("`{name}` is read in the condition of an outer join");
            return Err(Refusal::new(&rules::CORRELATION_JOIN, *at, message));
        }
        if inner.window.is_some() {
            let message = format!("`{name}` is read by a subquery with a window function");
            return Err(Refusal::new(&rules::CORRELATION_WINDOW, *at, message));
        }
        if inner.position == Position::In && inner.grouped && inner.aggregate.is_some() {
            let message = format!("`{name}` is read by a subquery that groups");
            return Err(Refusal::new(&rules::CORRELATION_GROUP, *at, message));
        }
        Ok(())
    }

    /// The tables of the query are known: references from further in that lead here are judged.
    pub(crate) fn judge_references(&self) -> Parsed {
        let Some(scope) = self.scopes.last() else { return Ok(()) };
        let here = scope.references.iter().filter(|it| scope.names.contains(&it.name));
        for Reference { name, at, hops, through_table } in here {
            if *through_table {
                let message = format!("`{name}` is read by a query in FROM");
                return Err(Refusal::new(&rules::LATERAL, *at, message));
            }
            if *hops > 1 {
                let message = format!("`{name}` is read by a query {hops} levels further in");
                return Err(Refusal::new(&rules::CORRELATION_SKIPS, *at, message));
            }
        }
        Ok(())
    }
}
