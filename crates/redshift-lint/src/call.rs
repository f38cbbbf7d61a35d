//! Function calls: arguments, special syntax, allowed clauses, and OVER.

use crate::functions::{self, Class, Function};
use crate::keywords;
use crate::lexer::{Token, TokenKind};
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::violation::Violation;

impl Parser<'_> {
    /// Parses a function call, or else a column.
    pub(crate) fn function_or_column(&mut self) -> Parsed {
        let token = self.peek();
        if token.kind == TokenKind::Word {
            if self.is("approximate") {
                return self.approximate();
            }
            if let Some(function) = functions::find(token.text)
                && matches!(function.class, Class::Bare | Class::BareLeader)
                && !self.peek_nth(1).is_symbol(".")
            {
                self.advance();
                // A default is evaluated for inserted rows, without a table.
                if self.clause != Clause::Default {
                    self.record_leader_function(function, token);
                }
                return Ok(());
            }
            if self.is("pg_catalog") && self.is_catalog_call() {
                self.advance();
                self.advance();
            }
        }
        // Number of tokens of `[[database.]schema.]name`.
        let mut length = 1;
        while self.peek_nth(length).is_symbol(".") && length < 5 {
            length += 2;
        }
        if !self.peek_nth(length).is_symbol("(") {
            return self.column();
        }
        match (length, self.peek_nth(length - 1)) {
            (1, name) if !is_udf(name) => self.built_in(),
            (_, name) if is_udf(name) => self.udf_call(name),
            (_, name) => {
                let message = format!("unknown function {} in a schema", name.describe());
                Err(Violation::new(&rules::FUNCTION_UNKNOWN, name.at, message))
            }
        }
    }

    /// Looks ahead: returns true for `pg_catalog.name(` where `name` is a built-in function.
    fn is_catalog_call(&self) -> bool {
        self.peek_nth(1).is_symbol(".")
            && self.peek_nth(3).is_symbol("(")
            && functions::find(self.peek_nth(2).text).is_some()
    }

    /// Parses the call of a UDF, which its prefix `f_` identifies.
    fn udf_call(&mut self, name: Token<'_>) -> Parsed {
        if self.clause == Clause::Default {
            let message = format!("the default calls the UDF {}", name.describe());
            return self.violation(&rules::DEFAULT_VALUE, message);
        }
        while !self.is_symbol("(") {
            self.advance();
        }
        let count = self.arguments(Self::expression)?;
        if count > 32 {
            return Err(Violation::new(
                &rules::UDF_CALL,
                name.at,
                format!("{} is called with {count} arguments", name.describe()),
            ));
        }
        let udf = name.text.trim_matches('"').to_ascii_lowercase();
        self.facts.udf_calls.push((udf, count, name.at));
        self.reject_window(name)
    }

    fn reject_window(&self, name: Token<'_>) -> Parsed {
        if self.is("filter") && self.peek_nth(1).is_symbol("(") {
            return self.violation(&rules::FILTER, "FILTER is not supported");
        }
        if self.is("over") || self.is("within") {
            let message = format!("{} is not a window function", name.describe());
            return self.violation(&rules::WINDOW_FORM, message);
        }
        Ok(())
    }

    /// Parses zero or more arguments in parentheses, and returns their number.
    fn arguments(&mut self, item: impl FnMut(&mut Self) -> Parsed) -> Parsed<usize> {
        self.expect_symbol("(")?;
        if self.eat_symbol(")") {
            return Ok(0);
        }
        let count = self.comma_separated(item)?;
        self.expect_symbol(")")?;
        Ok(count)
    }

    fn built_in(&mut self) -> Parsed {
        let token = self.peek();
        match token.text.to_ascii_lowercase().as_str() {
            "convert" => return self.convert(),
            "position" => return self.position(),
            "trim" => return self.trim(),
            "unnest" => {
                return self
                    .violation(&rules::TABLE_FUNCTION, "UNNEST is not supported as a function");
            }
            _ => {}
        }
        let Some(function) = functions::find(token.text).filter(|_| token.kind == TokenKind::Word)
        else {
            return self.unknown_function(token);
        };
        self.advance();
        match function.class {
            Class::Plain | Class::Leader => self.scalar_function(function, token),
            Class::Bare | Class::BareLeader => {
                self.unexpected("no parenthesis after this function")
            }
            _ => self.aggregate_or_window_function(function, token),
        }
    }

    fn unknown_function(&self, token: Token<'_>) -> Parsed {
        let message = format!("unsupported function {}", token.describe());
        let rule = if functions::is_unsupported(token.text) {
            &rules::FUNCTION_MISSING
        } else if keywords::is_reserved(token.text) && token.kind == TokenKind::Word {
            &rules::RESERVED
        } else {
            &rules::FUNCTION_UNKNOWN
        };
        self.violation(rule, message)
    }

    fn scalar_function(&mut self, function: &Function, token: Token<'_>) -> Parsed {
        let count = match function.name {
            "dateadd" | "datediff" => self.special_first_argument(Self::date_unit)?,
            "date_part" => self.special_first_argument(Self::date_part)?,
            "date_trunc" => self.special_first_argument(Self::date_trunc_unit)?,
            "substring" => self.substring()?,
            _ => self.arguments(Self::expression)?,
        };
        check_count(function, token, count)?;
        self.record_leader_function(function, token);
        self.reject_window(token)
    }

    /// Parses arguments of which the first one has its own syntax.
    fn special_first_argument(&mut self, first: fn(&mut Self) -> Parsed) -> Parsed<usize> {
        let mut position = 0;
        self.arguments(|parser| {
            position += 1;
            if position == 1 { first(parser) } else { parser.expression() }
        })
    }

    /// Parses `(text, start[, length])` or `(text from start [for length])`.
    fn substring(&mut self) -> Parsed<usize> {
        self.expect_symbol("(")?;
        self.expression()?;
        if self.eat("from") {
            self.expression()?;
            let count = if self.eat("for") { self.expression().map(|()| 3)? } else { 2 };
            return self.expect_symbol(")").map(|()| count);
        }
        self.expect_symbol(",")?;
        let count = self.comma_separated(Self::expression)?;
        self.expect_symbol(")").map(|()| count + 1)
    }

    /// Parses `convert(type, value)`.
    fn convert(&mut self) -> Parsed {
        self.advance();
        self.expect_symbol("(")?;
        self.data_type()?;
        self.expect_symbol(",")?;
        self.expression()?;
        self.expect_symbol(")")
    }

    /// Parses `position(text in text)`.
    fn position(&mut self) -> Parsed {
        self.advance();
        self.expect_symbol("(")?;
        self.value()?;
        self.expect("in")?;
        self.value()?;
        self.expect_symbol(")")
    }

    /// Parses `trim([both | leading | trailing] [characters from] text)` or `trim(text, characters)`.
    fn trim(&mut self) -> Parsed {
        self.advance();
        self.expect_symbol("(")?;
        let sided = self.eat_any(&["both", "leading", "trailing"]).is_some();
        if !(sided && self.eat("from")) {
            self.value()?;
            if !sided && self.eat_symbol(",") {
                self.value()?;
                return self.expect_symbol(")");
            }
            if !self.eat("from") {
                return self.expect_symbol(")");
            }
        }
        self.value()?;
        self.expect_symbol(")")
    }

    /// Parses `approximate count(distinct …)` or `approximate percentile_disc(…) within group (…)`.
    fn approximate(&mut self) -> Parsed {
        self.advance();
        let token = self.peek();
        if self.is("percentile_disc") && self.peek_nth(1).is_symbol("(") {
            self.check_aggregate_position(token)?;
            self.advance();
            self.in_clause(Clause::Aggregate, |parser| {
                parser.parenthesized_list(Self::expression).map(drop)
            })?;
            return self.within_group(Clause::Aggregate);
        }
        let distinct = self.peek_nth(1).is_symbol("(") && self.peek_nth(2).is_word("distinct");
        if !self.is("count") || !distinct {
            return self.unexpected("COUNT(DISTINCT …) or PERCENTILE_DISC(…)");
        }
        self.built_in()
    }

    /// Parses the call of an aggregate or window function.
    fn aggregate_or_window_function(&mut self, function: &Function, token: Token<'_>) -> Parsed {
        // The arguments of an aggregate and of a window function are checked differently, so a
        // look-ahead over the parentheses finds OVER first.
        let windowed = self.has_over();
        if windowed {
            self.check_window_position(token)?;
        } else {
            self.check_aggregate_position(token)?;
        }
        let inside = if windowed { Clause::Window } else { Clause::Aggregate };
        let distinct =
            self.in_clause(inside, |parser| parser.aggregate_arguments(function, token))?;
        if function.class == Class::Ordered {
            self.within_group_clause(function, token, inside)?;
        }
        if self.is("filter") && self.peek_nth(1).is_symbol("(") {
            return self.violation(&rules::FILTER, "FILTER is not supported");
        }
        if matches!(function.class, Class::Offset | Class::Frame) {
            self.eat_null_treatment();
        }
        if !windowed {
            return match function.class {
                _ if function.name == "percentile_disc" => {
                    let message = "PERCENTILE_DISC without APPROXIMATE has no OVER";
                    Err(Violation::new(&rules::WINDOW_FORM, token.at, message)
                        .with_page(function.page))
                }
                Class::Rank | Class::Offset | Class::Frame => {
                    let message = format!("the window function {} has no OVER", token.describe());
                    Err(Violation::new(&rules::WINDOW_FORM, token.at, message)
                        .with_page(function.page))
                }
                _ => Ok(()),
            };
        }
        if distinct && function.name != "listagg" {
            let message = format!("the window function {} has DISTINCT", token.describe());
            return Err(
                Violation::new(&rules::WINDOW_FORM, token.at, message).with_page(function.page)
            );
        }
        self.over(function, token)
    }

    /// Parses the parentheses and their content. Returns true if there is a DISTINCT.
    fn aggregate_arguments(&mut self, function: &Function, token: Token<'_>) -> Parsed<bool> {
        let aggregate =
            matches!(function.class, Class::Aggregate | Class::AggregateOnly | Class::Ordered);
        self.expect_symbol("(")?;
        if function.name == "count" && self.eat_symbol("*") {
            return self.expect_symbol(")").map(|()| false);
        }
        let mut distinct = false;
        let count = if self.is_symbol(")") {
            0
        } else {
            if aggregate && !self.eat("all") {
                distinct = self.eat("distinct");
            }
            self.comma_separated(Self::expression)?
        };
        if matches!(function.class, Class::Frame | Class::Offset) {
            self.eat_null_treatment();
        }
        if self.is("order") {
            let message = format!("the arguments of {} have an ORDER BY", token.describe());
            return self.violation(&rules::ARGUMENTS, message);
        }
        self.expect_symbol(")")?;
        check_count(function, token, count)?;
        Ok(distinct)
    }

    fn eat_null_treatment(&mut self) {
        let _ = self.eat_sequence(&["ignore", "nulls"]) || self.eat_sequence(&["respect", "nulls"]);
    }

    /// Parses WITHIN GROUP as the function requires it. These functions run only on compute nodes.
    fn within_group_clause(
        &mut self,
        function: &Function,
        token: Token<'_>,
        inside: Clause,
    ) -> Parsed {
        if self.facts.compute_only.is_none() {
            self.facts.compute_only = Some((token.text.to_ascii_lowercase(), token.at));
        }
        match function.name {
            "percentile_cont" | "percentile_disc" => self.within_group(inside),
            "listagg" if self.is("within") => self.within_group(inside),
            _ => Ok(()),
        }
    }

    fn within_group(&mut self, inside: Clause) -> Parsed {
        self.expect_sequence(&["within", "group"])?;
        self.expect_symbol("(")?;
        self.expect_sequence(&["order", "by"])?;
        self.in_clause(inside, Self::order_list)?;
        self.expect_symbol(")")
    }

    /// Looks ahead: returns true if OVER follows the parenthesized arguments.
    fn has_over(&self) -> bool {
        let mut n = self.after_parentheses(0);
        for keywords in [["ignore", "nulls"], ["respect", "nulls"], ["within", "group"]] {
            if self.peek_nth(n).is_word(keywords[0]) && self.peek_nth(n + 1).is_word(keywords[1]) {
                n += 2;
                if keywords[0] == "within" {
                    n = self.after_parentheses(n);
                }
            }
        }
        self.peek_nth(n).is_word("over")
    }

    /// Returns the position after the parenthesis that closes the one at position `n`.
    fn after_parentheses(&self, mut n: usize) -> usize {
        let mut depth = 0_u32;
        loop {
            let token = self.peek_nth(n);
            match token.kind {
                TokenKind::Symbol if token.text == "(" => depth += 1,
                TokenKind::Symbol if token.text == ")" => depth = depth.saturating_sub(1),
                TokenKind::End => return n,
                _ => {}
            }
            n += 1;
            if depth == 0 {
                return n;
            }
        }
    }

    fn check_aggregate_position(&mut self, token: Token<'_>) -> Parsed {
        // The arguments of a window function may contain aggregates.
        let allowed = matches!(
            self.clause,
            Clause::SelectList | Clause::Having | Clause::Qualify | Clause::Window
        );
        if !allowed {
            let message = format!("the aggregate {} is not allowed here", token.describe());
            return Err(Violation::new(&rules::AGGREGATE_PLACE, token.at, message));
        }
        let min_or_max = token.is_word("min") || token.is_word("max");
        if let (false, Some(scope)) = (min_or_max, self.current_scope()) {
            scope.aggregate.get_or_insert(token.at);
        }
        Ok(())
    }

    fn check_window_position(&mut self, token: Token<'_>) -> Parsed {
        if !matches!(self.clause, Clause::SelectList | Clause::Qualify) {
            let message = format!("the window function {} is not allowed here", token.describe());
            return Err(Violation::new(&rules::WINDOW_PLACE, token.at, message));
        }
        if let Some(scope) = self.current_scope() {
            scope.window.get_or_insert(token.at);
        }
        Ok(())
    }

    fn record_leader_function(&mut self, function: &Function, token: Token<'_>) {
        let leader_only = matches!(function.class, Class::Leader | Class::BareLeader);
        if leader_only && self.facts.leader_only.is_none() {
            self.facts.leader_only = Some((token.text.to_ascii_lowercase(), token.at));
        }
    }

    /// Parses a query in parentheses.
    pub(crate) fn subquery(&mut self, position: Position) -> Parsed {
        if self.clause == Clause::Default {
            return self.violation(&rules::DEFAULT_VALUE, "the default contains a subquery");
        }
        self.expect_symbol("(")?;
        self.nested(|parser| parser.query(position))?;
        self.expect_symbol(")")
    }
}

fn is_udf(name: Token<'_>) -> bool {
    name.text.trim_matches('"').get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("f_"))
}

fn check_count(function: &Function, token: Token<'_>, count: usize) -> Parsed {
    let Function { min_arguments: min, max_arguments: max, page, .. } = *function;
    if (min..=max).contains(&count) {
        return Ok(());
    }
    let message = format!("{} is called with {count} arguments", token.describe());
    let hint = match (min, max) {
        (_, usize::MAX) => format!("it takes {min} or more"),
        _ if min == max => format!("it takes {min}"),
        _ => format!("it takes {min} to {max}"),
    };
    Err(Violation::new(&rules::ARGUMENTS, token.at, message).with_page(page).with_hint(hint))
}
