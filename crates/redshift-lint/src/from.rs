//! Tables: FROM, joins, and what unnests a super value.

use crate::lexer::Kind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;

impl Parser<'_> {
    /// The tables behind FROM; whether the last one has an alias.
    pub(crate) fn tables(&mut self) -> Parsed<bool> {
        let mut alias = false;
        self.list(|parser| {
            alias = parser.joined()?;
            Ok(())
        })?;
        Ok(alias)
    }

    fn joined(&mut self) -> Parsed<bool> {
        let mut alias = self.one_table()?;
        while let Some((outer, conditional)) = self.join()? {
            alias = self.one_table()?;
            if conditional {
                self.join_condition(outer)?;
            } else if self.is("on") || self.is("using") {
                return self
                    .refuse(&rules::JOIN_CONDITION, "a cross or natural join has a condition");
            }
        }
        Ok(alias)
    }

    /// The words of a join: whether it is an outer one, and whether it has a condition.
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
            return self.refuse(
                &rules::JOIN_CONDITION,
                format!("{} stands where ON or USING should", self.peek().shown()),
            );
        }
        let clause = if outer { Clause::OuterJoin } else { Clause::Plain };
        self.within(clause, Self::expression)
    }

    fn one_table(&mut self) -> Parsed<bool> {
        if self.is("lateral") {
            return self.refuse(&rules::LATERAL, "LATERAL stands here");
        }
        if self.is("unnest") {
            return self.refuse(&rules::TABLE_FUNCTION, "UNNEST stands as a table");
        }
        if self.is_sign("(") {
            return self.derived();
        }
        let token = self.peek();
        let (unnested, places) = self.table_path();
        if self.ahead(places).is_sign("(") {
            let message =
                format!("the function `{}` stands as a table", self.ahead(places - 1).text);
            return self.refuse(&rules::TABLE_FUNCTION, message);
        }
        if unnested {
            return self.unnesting();
        }
        let name = self.table_or_cte(token.kind)?;
        let alias = self.alias("an alias")?;
        let found = alias.is_some();
        if found && self.is_sign("(") {
            self.column_names()?;
        }
        self.sees(alias.unwrap_or(name));
        Ok(found)
    }

    /// Whether a path that comes next leads into a table beside it, and how many tokens it has.
    fn table_path(&self) -> (bool, usize) {
        let mut places = 1;
        while self.ahead(places).is_sign(".") && places < 16 {
            places += 2;
        }
        let first = self.peek().text.trim_matches('"').to_ascii_lowercase();
        (places > 1 && self.in_sight(&first), places)
    }

    fn table_or_cte(&mut self, kind: Kind) -> Parsed<String> {
        let bare = !self.ahead(1).is_sign(".");
        let name = self.peek().text.trim_matches('"').to_ascii_lowercase();
        if bare && self.defining.contains(&name) {
            return self.refuse(&rules::CTE_RECURSIVE, format!("the CTE `{name}` reads itself"));
        }
        if bare && matches!(kind, Kind::Word | Kind::Quoted) && self.is_cte(&name) {
            return self.name("a table");
        }
        self.table()
    }

    /// `alias.path [as] item [at place]`.
    fn unnesting(&mut self) -> Parsed<bool> {
        self.column()?;
        let Some(alias) = self.alias("an alias")? else {
            return self.refuse(&rules::SUBQUERY_ALIAS, "an unnested value has no alias");
        };
        self.sees(alias);
        if self.eat("at") {
            let place = self.name("an alias")?;
            self.sees(place);
        }
        Ok(true)
    }

    fn derived(&mut self) -> Parsed<bool> {
        if self.ahead(1).is_word("values") {
            return self.refuse(&rules::VALUES_TABLE, "VALUES stands as a table");
        }
        if !self.begins_query() {
            return self.refuse(&rules::JOIN_NESTED, "a parenthesis around tables stands here");
        }
        self.subquery(Position::Table)?;
        let Some(alias) = self.alias("an alias")? else {
            return self.refuse(&rules::SUBQUERY_ALIAS, "a query in FROM has no alias");
        };
        if self.is_sign("(") {
            self.column_names()?;
        }
        self.sees(alias);
        Ok(true)
    }
}
