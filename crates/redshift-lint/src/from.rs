//! FROM clause: tables, joins, derived tables and unnesting of super values.

use crate::lexer::TokenKind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;

impl Parser<'_> {
    /// Parses the tables of a FROM clause. Returns true if the last one has an alias.
    pub(crate) fn tables(&mut self) -> Parsed<bool> {
        let mut alias = false;
        self.comma_separated(|parser| {
            alias = parser.joined()?;
            Ok(())
        })?;
        Ok(alias)
    }

    fn joined(&mut self) -> Parsed<bool> {
        let mut alias = self.rotated_table()?;
        while let Some((outer, conditional)) = self.join()? {
            alias = self.rotated_table()?;
            if conditional {
                self.join_condition(outer)?;
            } else if self.is("on") || self.is("using") {
                return self
                    .violation(&rules::JOIN_CONDITION, "a cross or natural join has a condition");
            }
        }
        Ok(alias)
    }

    /// Parses the keywords of a join. Returns whether it is an outer join, and whether it has a
    /// condition.
    fn join(&mut self) -> Parsed<Option<(bool, bool)>> {
        let conditional = if self.eat("cross") {
            self.expect("join")?;
            return Ok(Some((false, false)));
        } else {
            !self.eat("natural")
        };
        let outer = self.eat_any(&["left", "right", "full"]).is_some();
        if outer {
            self.eat("outer");
        } else if !self.eat("inner") && conditional && !self.is("join") {
            return Ok(None);
        }
        self.expect("join")?;
        Ok(Some((outer, conditional)))
    }

    fn join_condition(&mut self, outer: bool) -> Parsed {
        if self.eat("using") {
            return self.column_names().map(drop);
        }
        if !self.eat("on") {
            return self.violation(
                &rules::JOIN_CONDITION,
                format!("expected ON or USING, found {}", self.peek().describe()),
            );
        }
        let clause = if outer { Clause::OuterJoin } else { Clause::Scalar };
        self.in_clause(clause, Self::expression)
    }

    fn rotated_table(&mut self) -> Parsed<bool> {
        let mut alias = self.table_factor()?;
        while self.is_any(&["pivot", "unpivot"]) {
            alias = self.rotation()?;
        }
        Ok(alias)
    }

    /// Parses one operand of a join. Returns true if it has an alias.
    fn table_factor(&mut self) -> Parsed<bool> {
        if self.is("lateral") {
            return self.violation(&rules::LATERAL, "LATERAL is not supported");
        }
        if self.is("unnest") {
            return self.violation(&rules::TABLE_FUNCTION, "UNNEST is not supported as a table");
        }
        if self.is_symbol("(") {
            return self.derived_table();
        }
        let token = self.peek();
        let (unnests, length) = self.table_path();
        if self.peek_nth(length).is_symbol("(") {
            let name = self.peek_nth(length - 1).text;
            let message = format!("the function `{name}` is used as a table");
            return self.violation(&rules::TABLE_FUNCTION, message);
        }
        if unnests {
            return self.unnested_value();
        }
        let name = self.table_or_cte(token.kind)?;
        let alias = self.table_alias()?;
        let found = alias.is_some();
        if found && self.is_symbol("(") {
            self.column_names()?;
        }
        self.add_table(alias.unwrap_or(name));
        Ok(found)
    }

    /// Looks ahead at a dotted path. Returns whether it starts with a table of this query, and its
    /// number of tokens.
    fn table_path(&self) -> (bool, usize) {
        let mut length = 1;
        while self.peek_nth(length).is_symbol(".") && length < 16 {
            length += 2;
        }
        let first = self.peek().text.trim_matches('"').to_ascii_lowercase();
        (length > 1 && self.has_table(&first), length)
    }

    fn table_or_cte(&mut self, kind: TokenKind) -> Parsed<String> {
        let bare = !self.peek_nth(1).is_symbol(".");
        let name = self.peek().text.trim_matches('"').to_ascii_lowercase();
        if bare && self.open_ctes.contains(&name) {
            return self.violation(&rules::CTE_RECURSIVE, format!("the CTE `{name}` reads itself"));
        }
        if bare && matches!(kind, TokenKind::Word | TokenKind::QuotedName) && self.is_cte(&name) {
            return self.name("a table");
        }
        self.table_name()
    }

    /// Parses `alias.path [as] item [at index]`.
    fn unnested_value(&mut self) -> Parsed<bool> {
        self.column()?;
        let Some(alias) = self.alias("an alias")? else {
            return self.violation(&rules::SUBQUERY_ALIAS, "the unnested value has no alias");
        };
        self.add_table(alias);
        if self.eat("at") {
            let index = self.name("an alias")?;
            self.add_table(index);
        }
        Ok(true)
    }

    fn derived_table(&mut self) -> Parsed<bool> {
        if self.peek_nth(1).is_word("values") {
            return self.violation(&rules::VALUES_TABLE, "VALUES is used as a table");
        }
        if !self.begins_query() {
            return self
                .violation(&rules::JOIN_NESTED, "parentheses around joins are not supported");
        }
        self.subquery(Position::FromItem)?;
        let Some(alias) = self.table_alias()? else { return Ok(false) };
        if self.is_symbol("(") {
            self.column_names()?;
        }
        self.add_table(alias);
        Ok(true)
    }

    /// Parses the alias of a table, if there is one. PIVOT and a parenthesis are not an alias.
    fn table_alias(&mut self) -> Parsed<Option<String>> {
        if self.is("pivot") && self.peek_nth(1).is_symbol("(") {
            return Ok(None);
        }
        self.alias("an alias")
    }

    /// Parses `pivot (aggregate [as alias], … for column in (value [as alias], …)) [as alias]` or
    /// `unpivot [include nulls | exclude nulls] (value for name in (column [as alias], …)) [alias]`.
    fn rotation(&mut self) -> Parsed<bool> {
        let pivot = self.is("pivot");
        self.advance();
        if !pivot && self.eat_any(&["include", "exclude"]).is_some() {
            self.expect("nulls")?;
        }
        self.expect_symbol("(")?;
        if pivot {
            self.in_clause(Clause::SelectList, |parser| {
                parser.comma_separated(|parser| {
                    parser.expression()?;
                    parser.rotation_alias()
                })
            })?;
        } else {
            self.name("the column of the values")?;
        }
        self.expect("for")?;
        self.qualified_name("a column")?;
        self.expect("in")?;
        self.parenthesized_list(|parser| {
            if pivot {
                parser.value()?;
            } else {
                parser.column()?;
            }
            parser.rotation_alias()
        })?;
        self.expect_symbol(")")?;
        let alias = self.alias("an alias")?;
        let found = alias.is_some();
        if let Some(alias) = alias {
            self.add_table(alias);
        }
        Ok(found)
    }

    fn rotation_alias(&mut self) -> Parsed {
        if self.is("for") { Ok(()) } else { self.alias("an alias").map(drop) }
    }
}
