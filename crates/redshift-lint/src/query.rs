//! SELECT: CTEs, set operations, clauses, ORDER BY and LIMIT.

use std::collections::BTreeSet;

use crate::keywords;
use crate::lexer::TokenKind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::violation::Violation;

impl Parser<'_> {
    /// Parses a query in its own scope, and checks the references to outer queries.
    pub(crate) fn query(&mut self, position: Position) -> Parsed {
        self.open_scope(position);
        self.in_clause(Clause::Scalar, Self::query_body)?;
        self.check_outer_references()?;
        self.close_scope()
    }

    fn query_body(&mut self) -> Parsed {
        if self.is("with") {
            self.ctes()?;
        }
        let mut top = self.query_term()?;
        // Only the first operand of a set operation has INTO.
        self.is_query_statement &= self.scopes.len() > 1;
        while let Some(keyword) = self.eat_any(&["union", "intersect", "except", "minus"]) {
            let all = self.is("all");
            if all && keyword != "union" {
                return self.violation(
                    &rules::SET_OPERATION,
                    format!("{} ALL is not supported", keyword.to_uppercase()),
                );
            }
            if all || self.eat("distinct") {
                if !all {
                    return self.violation(
                        &rules::SET_OPERATION,
                        format!("{} DISTINCT is not supported", keyword.to_uppercase()),
                    );
                }
                self.advance();
            }
            top |= self.query_term()?;
        }
        self.order_and_limit(top)
    }

    /// Parses one operand of a set operation. Returns true if it has TOP.
    fn query_term(&mut self) -> Parsed<bool> {
        if self.is("values") {
            return self.violation(&rules::VALUES_TABLE, "VALUES is used as a query");
        }
        if self.eat_symbol("(") {
            self.nested(Self::query_body)?;
            return self.expect_symbol(")").map(|()| false);
        }
        self.select()
    }

    fn order_and_limit(&mut self, top: bool) -> Parsed {
        if self.eat_sequence(&["order", "by"]) {
            self.in_clause(Clause::SelectList, Self::order_list)?;
        }
        let limited = self.is("limit");
        if limited && top {
            return self.violation(&rules::LIMIT, "the query has both TOP and LIMIT");
        }
        if self.eat("limit") && !self.eat("all") {
            self.row_count("LIMIT")?;
        }
        if self.eat("offset") {
            self.row_count("OFFSET")?;
        }
        if self.is("fetch") || self.is("for") {
            return self.unexpected("LIMIT, OFFSET or the end of the query");
        }
        Ok(())
    }

    /// Parses the number after LIMIT, OFFSET or TOP: a literal, not an expression.
    fn row_count(&mut self, clause: &str) -> Parsed {
        let token = self.peek();
        match token.text.parse::<u32>() {
            Ok(number) if token.kind == TokenKind::Number && i32::try_from(number).is_ok() => {
                self.advance();
                let next = self.peek();
                let ends = next.kind == TokenKind::End
                    || next.kind == TokenKind::Word
                    || [")", ";", "*"].iter().any(|s| next.is_symbol(s));
                if ends || clause == "TOP" {
                    return Ok(());
                }
                self.violation(&rules::LIMIT, format!("{clause} has an expression"))
            }
            _ => self
                .violation(&rules::LIMIT, format!("{clause} has the value {}", token.describe())),
        }
    }

    /// Parses `with [recursive] name [(columns)] as (query), …`.
    pub(crate) fn ctes(&mut self) -> Parsed {
        self.expect("with")?;
        let recursive = self.eat("recursive");
        let mut names = BTreeSet::new();
        self.comma_separated(|parser| {
            let at = parser.peek().at;
            let name = parser.name("the name of a CTE")?;
            if names.contains(&name) {
                return Err(Violation::new(
                    &rules::CTE_FORM,
                    at,
                    format!("duplicate CTE `{name}`"),
                ));
            }
            let has_columns = parser.is_symbol("(");
            if has_columns {
                parser.column_names()?;
            }
            parser.expect("as")?;
            if parser.is("materialized") || parser.is("not") {
                return parser.violation(&rules::CTE_FORM, "MATERIALIZED is not supported");
            }
            parser.cte_query(&name, recursive && has_columns)?;
            names.insert(name.clone());
            if let Some(scope) = parser.current_scope() {
                scope.ctes.insert(name);
            }
            Ok(())
        })
        .map(drop)
    }

    fn cte_query(&mut self, name: &str, recursive: bool) -> Parsed {
        self.expect_symbol("(")?;
        if !(self.is("select") || self.is("with") || self.is_symbol("(")) {
            return self.violation(
                &rules::CTE_FORM,
                format!("the CTE `{name}` starts with {}", self.peek().describe()),
            );
        }
        if recursive {
            if let Some(scope) = self.current_scope() {
                scope.ctes.insert(name.to_owned());
            }
        } else {
            self.open_ctes.push(name.to_owned());
        }
        self.nested(|parser| parser.query(Position::FromItem))?;
        if !recursive {
            self.open_ctes.pop();
        }
        self.expect_symbol(")")
    }

    /// Parses column names in parentheses, and returns their number.
    pub(crate) fn column_names(&mut self) -> Parsed<usize> {
        self.parenthesized_list(|parser| parser.name("a column").map(drop))
    }

    /// Parses a SELECT up to QUALIFY. Returns true if it has TOP.
    fn select(&mut self) -> Parsed<bool> {
        self.expect("select")?;
        let top = self.eat("top");
        if top {
            self.row_count("TOP")?;
        }
        self.distinct()?;
        self.in_clause(Clause::SelectList, |parser| parser.comma_separated(Self::select_item))?;
        self.excluded_columns()?;
        if self.is("into") {
            self.new_table()?;
        }
        let mut has_alias = true;
        let from = self.eat("from");
        if from {
            has_alias = self.tables()?;
        }
        // QUALIFY directly after FROM requires an alias for the last table.
        let mut directly_after_from = from;
        if self.eat("where") {
            directly_after_from = false;
            self.in_clause(Clause::Scalar, Self::expression)?;
        }
        if self.is_sequence(&["start", "with"]) || self.is_sequence(&["connect", "by"]) {
            directly_after_from = false;
            self.hierarchy()?;
        }
        directly_after_from &= !self.group_by()?;
        if self.eat("having") {
            directly_after_from = false;
            self.in_clause(Clause::Having, Self::expression)?;
        }
        if self.is("window") {
            return self.violation(&rules::WINDOW_FORM, "named windows are not supported");
        }
        if self.is("qualify") {
            self.qualify(directly_after_from && !has_alias)?;
        }
        Ok(top)
    }

    /// Parses `[start with condition] connect by condition`, in either order.
    fn hierarchy(&mut self) -> Parsed {
        let mut connected = false;
        for _ in 0..2 {
            if self.eat_sequence(&["start", "with"]) {
                self.in_clause(Clause::Scalar, Self::expression)?;
            } else if !connected && self.eat_sequence(&["connect", "by"]) {
                connected = true;
                self.in_clause(Clause::Hierarchy, Self::expression)?;
            }
        }
        if connected { Ok(()) } else { self.unexpected("CONNECT BY") }
    }

    fn distinct(&mut self) -> Parsed {
        if self.eat("all") || !self.eat("distinct") {
            return Ok(());
        }
        if self.is("on") {
            return self.violation(&rules::DISTINCT_ON, "DISTINCT ON is not supported");
        }
        Ok(())
    }

    /// Parses GROUP BY. Returns true if there is one.
    fn group_by(&mut self) -> Parsed<bool> {
        if !self.eat_sequence(&["group", "by"]) {
            return Ok(false);
        }
        if let Some(scope) = self.current_scope() {
            scope.grouped = true;
        }
        if self.is("all") && !self.peek_nth(1).is_symbol("(") {
            self.advance();
            return Ok(true);
        }
        self.in_clause(Clause::Scalar, |parser| parser.comma_separated(Self::grouping))?;
        Ok(true)
    }

    /// Parses an item of GROUP BY: an expression, GROUPING SETS, ROLLUP or CUBE.
    fn grouping(&mut self) -> Parsed {
        if self.is_sequence(&["grouping", "sets"]) {
            self.advance();
            self.advance();
            return self
                .parenthesized_list(|parser| {
                    if parser.is_symbol("(") && parser.peek_nth(1).is_symbol(")") {
                        parser.advance();
                        parser.advance();
                        return Ok(());
                    }
                    if parser.is_symbol("(") {
                        return parser.parenthesized_list(Self::expression).map(drop);
                    }
                    parser.nested(Self::grouping)
                })
                .map(drop);
        }
        if self.is_any(&["rollup", "cube"]) && self.peek_nth(1).is_symbol("(") {
            self.advance();
            return self.parenthesized_list(Self::expression).map(drop);
        }
        self.expression()
    }

    fn qualify(&mut self, lacks_alias: bool) -> Parsed {
        if lacks_alias {
            return self
                .violation(&rules::QUALIFY_ALIAS, "QUALIFY follows a table without an alias");
        }
        let at = self.advance();
        self.in_clause(Clause::Qualify, Self::expression)?;
        if self.current_scope().is_some_and(|scope| scope.window.is_none()) {
            return Err(Violation::new(
                &rules::QUALIFY_WINDOW,
                at.at,
                "QUALIFY is used without a window function",
            ));
        }
        Ok(())
    }

    fn select_item(&mut self) -> Parsed {
        if self.eat_symbol("*") {
            return Ok(());
        }
        if self.is_table_star() {
            let at = self.peek().at;
            let table = self.name("a table")?;
            self.add_reference(table, at);
            self.advance();
            self.advance();
            return Ok(());
        }
        self.expression()?;
        if self.eat("as") {
            return self.label("an alias").map(drop);
        }
        self.alias("an alias").map(drop)
    }

    /// Parses `exclude a, b` or `exclude (a, b)` after the select list.
    fn excluded_columns(&mut self) -> Parsed {
        if !self.eat("exclude") {
            return Ok(());
        }
        if self.is_symbol("(") {
            return self.column_names().map(drop);
        }
        self.comma_separated(|parser| parser.name("a column").map(drop)).map(drop)
    }

    /// Parses `into [temp] [table] name` of a statement that is a query.
    fn new_table(&mut self) -> Parsed {
        if self.scopes.len() > 1 || self.facts.selects_into || !self.is_query_statement {
            return self.violation(&rules::SELECT_INTO, "SELECT INTO is not a statement here");
        }
        self.advance();
        self.eat_any(&["temp", "temporary"]);
        self.eat("table");
        self.table_name()?;
        self.facts.selects_into = true;
        Ok(())
    }

    fn is_table_star(&self) -> bool {
        matches!(self.peek().kind, TokenKind::Word | TokenKind::QuotedName)
            && self.peek_nth(1).is_symbol(".")
            && self.peek_nth(2).is_symbol("*")
    }

    /// Parses `[as] alias`, if there is one.
    pub(crate) fn alias(&mut self, expected: &str) -> Parsed<Option<String>> {
        if self.eat("as") {
            return self.name(expected).map(Some);
        }
        let token = self.peek();
        let implied = match token.kind {
            TokenKind::Word => keywords::can_be_alias(token.text) && !token.text.starts_with('#'),
            TokenKind::QuotedName => true,
            _ => false,
        };
        if implied { self.name(expected).map(Some) } else { Ok(None) }
    }
}
