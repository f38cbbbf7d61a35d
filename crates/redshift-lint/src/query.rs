//! SELECT, from WITH to OFFSET.

use std::collections::BTreeSet;

use crate::Refusal;
use crate::lexer::Kind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::words;

impl Parser<'_> {
    /// A query, with whatever it reads of queries further out judged.
    pub(crate) fn query(&mut self, position: Position) -> Parsed {
        self.open_scope(position);
        self.within(Clause::Plain, Self::query_body)?;
        self.judge_references()?;
        self.close_scope()
    }

    fn query_body(&mut self) -> Parsed {
        if self.is("with") {
            self.ctes()?;
        }
        let mut top = self.query_term()?;
        while let Some(word) = self.eat_any(&["union", "intersect", "except", "minus"]) {
            let all = self.is("all");
            if all && word != "union" {
                return self.refuse(
                    &rules::SET_OPERATION,
                    format!("{} ALL stands here", word.to_uppercase()),
                );
            }
            if all || self.eat("distinct") {
                if !all {
                    return self.refuse(&rules::SET_OPERATION, "UNION DISTINCT stands here");
                }
                self.take();
            }
            top |= self.query_term()?;
        }
        self.order_and_limit(top)
    }

    fn query_term(&mut self) -> Parsed<bool> {
        if self.is("values") {
            return self.refuse(&rules::VALUES_TABLE, "VALUES stands where a query should");
        }
        if self.eat_sign("(") {
            self.nested(Self::query_body)?;
            return self.expect_sign(")").map(|()| false);
        }
        self.select()
    }

    fn order_and_limit(&mut self, top: bool) -> Parsed {
        if self.eat_all(&["order", "by"]) {
            self.within(Clause::List, Self::order_list)?;
        }
        let limited = self.is("limit");
        if limited && top {
            return self.refuse(&rules::LIMIT, "LIMIT stands beside TOP");
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

    fn row_count(&mut self, word: &str) -> Parsed {
        let token = self.peek();
        match token.text.parse::<u32>() {
            Ok(number) if token.kind == Kind::Number && i32::try_from(number).is_ok() => {
                self.take();
                let next = self.peek();
                let ends = next.kind == Kind::End
                    || next.kind == Kind::Word
                    || [")", ";", "*"].iter().any(|s| next.is_sign(s));
                if ends || word == "TOP" {
                    return Ok(());
                }
                self.refuse(&rules::LIMIT, format!("{word} is calculated"))
            }
            _ => self.refuse(&rules::LIMIT, format!("{word} is followed by {}", token.shown())),
        }
    }

    /// `with [recursive] name [(columns)] as (query), …`.
    pub(crate) fn ctes(&mut self) -> Parsed {
        self.expect("with")?;
        let recursive = self.eat("recursive");
        let mut names = BTreeSet::new();
        self.list(|parser| {
            let at = parser.peek().at;
            let name = parser.name("the name of a CTE")?;
            if names.contains(&name) {
                return Err(Refusal::new(
                    &rules::CTE_FORM,
                    at,
                    format!("the CTE `{name}` is there twice"),
                ));
            }
            let listed = parser.is_sign("(");
            if listed {
                parser.column_names()?;
            }
            parser.expect("as")?;
            if parser.is("materialized") || parser.is("not") {
                return parser.refuse(&rules::CTE_FORM, "MATERIALIZED stands here");
            }
            parser.cte_query(&name, recursive && listed)?;
            names.insert(name.clone());
            if let Some(scope) = parser.scope() {
                scope.ctes.insert(name);
            }
            Ok(())
        })
        .map(drop)
    }

    fn cte_query(&mut self, name: &str, recursive: bool) -> Parsed {
        self.expect_sign("(")?;
        if !(self.is("select") || self.is("with") || self.is_sign("(")) {
            return self.refuse(
                &rules::CTE_FORM,
                format!("{} begins the CTE `{name}`", self.peek().shown()),
            );
        }
        if recursive {
            if let Some(scope) = self.scope() {
                scope.ctes.insert(name.to_owned());
            }
        } else {
            self.defining.push(name.to_owned());
        }
        self.nested(|parser| parser.query(Position::Table))?;
        if !recursive {
            self.defining.pop();
        }
        self.expect_sign(")")
    }

    /// The names of columns in parentheses.
    pub(crate) fn column_names(&mut self) -> Parsed<usize> {
        self.parenthesised(|parser| parser.name("a column").map(drop))
    }

    /// One SELECT up to its QUALIFY; whether it has TOP.
    fn select(&mut self) -> Parsed<bool> {
        self.expect("select")?;
        let top = self.eat("top");
        if top {
            self.row_count("TOP")?;
        }
        self.distinct()?;
        self.within(Clause::List, |parser| parser.list(Self::select_item))?;
        if self.is("into") {
            return self.refuse(&rules::SELECT_INTO, "SELECT INTO stands here");
        }
        let mut alias = true;
        let from = self.eat("from");
        if from {
            alias = self.tables()?;
        }
        let mut plain = true;
        if self.eat("where") {
            plain = false;
            self.within(Clause::Plain, Self::expression)?;
        }
        if self.is("connect") || self.is("start") {
            return self.unexpected("GROUP BY or the end of the query");
        }
        plain &= !self.group_by()?;
        if self.eat("having") {
            plain = false;
            self.within(Clause::Having, Self::expression)?;
        }
        if self.is("window") {
            return self.refuse(&rules::WINDOW_FORM, "a window gets a name here");
        }
        if self.is("qualify") {
            self.qualify(from && plain && !alias)?;
        }
        Ok(top)
    }

    fn distinct(&mut self) -> Parsed {
        if self.eat("all") || !self.eat("distinct") {
            return Ok(());
        }
        if self.is("on") {
            return self.refuse(&rules::DISTINCT_ON, "DISTINCT ON stands here");
        }
        Ok(())
    }

    fn group_by(&mut self) -> Parsed<bool> {
        if !self.eat_all(&["group", "by"]) {
            return Ok(false);
        }
        if let Some(scope) = self.scope() {
            scope.grouped = true;
        }
        if self.is("all") && !self.ahead(1).is_sign("(") {
            self.take();
            return Ok(true);
        }
        self.within(Clause::Plain, |parser| parser.list(Self::grouping))?;
        Ok(true)
    }

    fn grouping(&mut self) -> Parsed {
        if self.are(&["grouping", "sets"]) {
            self.take();
            self.take();
            return self
                .parenthesised(|parser| {
                    if parser.is_sign("(") && parser.ahead(1).is_sign(")") {
                        parser.take();
                        parser.take();
                        return Ok(());
                    }
                    if parser.is_sign("(") {
                        return parser.parenthesised(Self::expression).map(drop);
                    }
                    parser.nested(Self::grouping)
                })
                .map(drop);
        }
        if self.is_any(&["rollup", "cube"]) && self.ahead(1).is_sign("(") {
            self.take();
            return self.parenthesised(Self::expression).map(drop);
        }
        self.expression()
    }

    fn qualify(&mut self, without_alias: bool) -> Parsed {
        if without_alias {
            return self.refuse(
                &rules::QUALIFY_ALIAS,
                "QUALIFY stands directly behind a table without an alias",
            );
        }
        let at = self.take();
        self.within(Clause::Qualify, Self::expression)?;
        if self.scope().is_some_and(|scope| scope.window.is_none()) {
            return Err(Refusal::new(
                &rules::QUALIFY_WINDOW,
                at.at,
                "QUALIFY stands in a query without a window function",
            ));
        }
        Ok(())
    }

    fn select_item(&mut self) -> Parsed {
        if self.eat_sign("*") {
            return Ok(());
        }
        if self.is_table_star() {
            let at = self.peek().at;
            let table = self.name("a table")?;
            self.refers(table, at);
            self.take();
            self.take();
            return Ok(());
        }
        self.expression()?;
        self.alias("an alias").map(drop)
    }

    fn is_table_star(&self) -> bool {
        matches!(self.peek().kind, Kind::Word | Kind::Quoted)
            && self.ahead(1).is_sign(".")
            && self.ahead(2).is_sign("*")
    }

    /// `[as] alias`.
    pub(crate) fn alias(&mut self, what: &str) -> Parsed<Option<String>> {
        if self.eat("as") {
            return self.name(what).map(Some);
        }
        let token = self.peek();
        let implied = match token.kind {
            Kind::Word => words::may_be_alias(token.text) && !token.text.starts_with('#'),
            Kind::Quoted => true,
            _ => false,
        };
        if implied { self.name(what).map(Some) } else { Ok(None) }
    }
}
