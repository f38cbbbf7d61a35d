//! Calls of functions: how many arguments, in which form, where, and over which window.

use crate::Refusal;
use crate::functions::{self, Class, Function};
use crate::lexer::{Kind, Token};
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;

impl Parser<'_> {
    /// A function if one is called here, else a column.
    pub(crate) fn function_or_column(&mut self) -> Parsed {
        let token = self.peek();
        if token.kind == Kind::Word {
            if self.is("approximate") {
                return self.approximate();
            }
            if let Some(function) = functions::find(token.text)
                && matches!(function.class, Class::Bare | Class::BareLeader)
                && !self.ahead(1).is_sign(".")
            {
                self.take();
                self.note_node(function, token);
                return Ok(());
            }
        }
        let mut places = 1;
        while self.ahead(places).is_sign(".") && places < 5 {
            places += 2;
        }
        if !self.ahead(places).is_sign("(") {
            return self.column();
        }
        match (places, self.ahead(places - 1)) {
            (1, name) if !is_own(name) => self.built_in(),
            (_, name) if is_own(name) => self.own(name),
            (_, name) => {
                let message = format!("a function {} of a schema is called", name.shown());
                Err(Refusal::new(&rules::FUNCTION_UNKNOWN, name.at, message))
            }
        }
    }

    /// A function of one's own: known by its prefix.
    fn own(&mut self, name: Token<'_>) -> Parsed {
        if self.clause == Clause::Default {
            let message = format!("{} is called in a default", name.shown());
            return self.refuse(&rules::DEFAULT_VALUE, message);
        }
        while !self.is_sign("(") {
            self.take();
        }
        let count = self.arguments_of(Self::expression)?;
        if count > 32 {
            return Err(Refusal::new(
                &rules::UDF_CALL,
                name.at,
                format!("{count} arguments stand here"),
            ));
        }
        let called = name.text.trim_matches('"').to_ascii_lowercase();
        self.facts.calls.push((called, count, name.at));
        self.no_window(name)
    }

    fn no_window(&self, name: Token<'_>) -> Parsed {
        if self.are(&["filter"]) && self.ahead(1).is_sign("(") {
            return self.refuse(&rules::FILTER, "FILTER stands here");
        }
        if self.is("over") || self.is("within") {
            let message = format!("{} is no function of a window", name.shown());
            return self.refuse(&rules::WINDOW_FORM, message);
        }
        Ok(())
    }

    /// Arguments in parentheses, none among them allowed.
    fn arguments_of(&mut self, item: impl FnMut(&mut Self) -> Parsed) -> Parsed<usize> {
        self.expect_sign("(")?;
        if self.eat_sign(")") {
            return Ok(0);
        }
        let count = self.list(item)?;
        self.expect_sign(")")?;
        Ok(count)
    }

    fn built_in(&mut self) -> Parsed {
        let token = self.peek();
        match token.text.to_ascii_lowercase().as_str() {
            "convert" => return self.convert(),
            "position" => return self.position(),
            "trim" => return self.trim(),
            "unnest" => return self.refuse(&rules::TABLE_FUNCTION, "UNNEST is called"),
            _ => {}
        }
        let Some(function) = functions::find(token.text).filter(|_| token.kind == Kind::Word)
        else {
            return self.unknown_function(token);
        };
        self.take();
        match function.class {
            Class::Plain | Class::Leader => self.plain(function, token),
            Class::Bare | Class::BareLeader => self.unexpected("no parenthesis"),
            _ => self.gathering(function, token),
        }
    }

    fn unknown_function(&self, token: Token<'_>) -> Parsed {
        let message = format!("the function {} is called", token.shown());
        let rule = if functions::is_missing(token.text) {
            &rules::FUNCTION_MISSING
        } else if crate::words::is_reserved(token.text) && token.kind == Kind::Word {
            &rules::RESERVED
        } else {
            &rules::FUNCTION_UNKNOWN
        };
        self.refuse(rule, message)
    }

    fn plain(&mut self, function: &Function, token: Token<'_>) -> Parsed {
        let count = match function.name {
            "dateadd" | "datediff" => self.first_special(Self::date_span)?,
            "date_part" => self.first_special(Self::date_part)?,
            "date_trunc" => self.first_special(Self::date_unit)?,
            "substring" => self.substring()?,
            _ => self.arguments_of(Self::expression)?,
        };
        check_count(function, token, count)?;
        self.note_node(function, token);
        self.no_window(token)
    }

    fn first_special(&mut self, first: fn(&mut Self) -> Parsed) -> Parsed<usize> {
        let mut place = 0;
        self.arguments_of(|parser| {
            place += 1;
            if place == 1 { first(parser) } else { parser.expression() }
        })
    }

    fn substring(&mut self) -> Parsed<usize> {
        self.expect_sign("(")?;
        self.expression()?;
        if self.eat("from") {
            self.expression()?;
            let count = if self.eat("for") { self.expression().map(|()| 3)? } else { 2 };
            return self.expect_sign(")").map(|()| count);
        }
        self.expect_sign(",")?;
        let count = self.list(Self::expression)?;
        self.expect_sign(")").map(|()| count + 1)
    }

    /// `convert(type, value)`.
    fn convert(&mut self) -> Parsed {
        self.take();
        self.expect_sign("(")?;
        self.data_type()?;
        self.expect_sign(",")?;
        self.expression()?;
        self.expect_sign(")")
    }

    fn position(&mut self) -> Parsed {
        self.take();
        self.expect_sign("(")?;
        self.value()?;
        self.expect("in")?;
        self.value()?;
        self.expect_sign(")")
    }

    fn trim(&mut self) -> Parsed {
        self.take();
        self.expect_sign("(")?;
        let sided = self.eat_any(&["both", "leading", "trailing"]).is_some();
        if !(sided && self.eat("from")) {
            self.value()?;
            if !self.eat("from") {
                return self.expect_sign(")");
            }
        }
        self.value()?;
        self.expect_sign(")")
    }

    fn approximate(&mut self) -> Parsed {
        self.take();
        let token = self.peek();
        if self.is("percentile_disc") && self.ahead(1).is_sign("(") {
            self.aggregate_stands(token)?;
            self.take();
            self.within(Clause::Aggregate, |parser| {
                parser.parenthesised(Self::expression).map(drop)
            })?;
            return self.within_group();
        }
        let distinct = self.ahead(1).is_sign("(") && self.ahead(2).is_word("distinct");
        if !self.is("count") || !distinct {
            return self.unexpected("COUNT(DISTINCT …) or PERCENTILE_DISC(…)");
        }
        self.built_in()
    }

    /// An aggregate, or a function of a window.
    fn gathering(&mut self, function: &Function, token: Token<'_>) -> Parsed {
        // Whether OVER follows is known behind the parentheses only: until then the stricter of the two.
        let windowed = self.leads_to_over();
        if windowed {
            self.window_stands(token)?;
        } else {
            self.aggregate_stands(token)?;
        }
        let inside = if windowed { Clause::Window } else { Clause::Aggregate };
        let distinct = self.within(inside, |parser| parser.gathered(function, token))?;
        if function.class == Class::Ordered {
            self.ordered(function, token)?;
        }
        if self.is("filter") && self.ahead(1).is_sign("(") {
            return self.refuse(&rules::FILTER, "FILTER stands here");
        }
        if matches!(function.class, Class::Shift | Class::Frame) {
            self.eat_nulls();
        }
        if !windowed {
            return match function.class {
                Class::Rank | Class::Shift | Class::Frame => {
                    let message = format!("{} stands without OVER", token.shown());
                    Err(Refusal::new(&rules::WINDOW_FORM, token.at, message).page(function.page))
                }
                _ => Ok(()),
            };
        }
        if distinct && function.name != "listagg" {
            let message = format!("DISTINCT stands in {} over a window", token.shown());
            return Err(Refusal::new(&rules::WINDOW_FORM, token.at, message).page(function.page));
        }
        self.over(function, token)
    }

    /// What stands in the parentheses; whether it is DISTINCT.
    fn gathered(&mut self, function: &Function, token: Token<'_>) -> Parsed<bool> {
        let aggregate =
            matches!(function.class, Class::Aggregate | Class::AggregateOnly | Class::Ordered);
        self.expect_sign("(")?;
        if function.name == "count" && self.eat_sign("*") {
            return self.expect_sign(")").map(|()| false);
        }
        let mut distinct = false;
        let count = if self.is_sign(")") {
            0
        } else {
            if aggregate && !self.eat("all") {
                distinct = self.eat("distinct");
            }
            self.list(Self::expression)?
        };
        if matches!(function.class, Class::Frame | Class::Shift) {
            self.eat_nulls();
        }
        if self.is("order") {
            let message = format!("ORDER BY stands within {}", token.shown());
            return self.refuse(&rules::ARGUMENTS, message);
        }
        self.expect_sign(")")?;
        check_count(function, token, count)?;
        Ok(distinct)
    }

    fn eat_nulls(&mut self) {
        let _ = self.eat_all(&["ignore", "nulls"]) || self.eat_all(&["respect", "nulls"]);
    }

    fn ordered(&mut self, function: &Function, token: Token<'_>) -> Parsed {
        if self.facts.compute.is_none() {
            self.facts.compute = Some((token.text.to_ascii_lowercase(), token.at));
        }
        match function.name {
            "percentile_cont" => self.within_group(),
            "listagg" if self.is("within") => self.within_group(),
            _ => Ok(()),
        }
    }

    fn within_group(&mut self) -> Parsed {
        self.expect_all(&["within", "group"])?;
        self.expect_sign("(")?;
        self.expect_all(&["order", "by"])?;
        self.within(Clause::Aggregate, Self::order_list)?;
        self.expect_sign(")")
    }

    /// Whether OVER stands behind the parentheses that come next.
    fn leads_to_over(&self) -> bool {
        let mut places = self.closing(0);
        for words in [["ignore", "nulls"], ["respect", "nulls"], ["within", "group"]] {
            if self.ahead(places).is_word(words[0]) && self.ahead(places + 1).is_word(words[1]) {
                places += 2;
                if words[0] == "within" {
                    places = self.closing(places);
                }
            }
        }
        self.ahead(places).is_word("over")
    }

    /// The place behind the parenthesis that closes the one at `places`.
    fn closing(&self, mut places: usize) -> usize {
        let mut depth = 0_u32;
        loop {
            let token = self.ahead(places);
            match token.kind {
                Kind::Sign if token.text == "(" => depth += 1,
                Kind::Sign if token.text == ")" => depth = depth.saturating_sub(1),
                Kind::End => return places,
                _ => {}
            }
            places += 1;
            if depth == 0 {
                return places;
            }
        }
    }

    fn aggregate_stands(&mut self, token: Token<'_>) -> Parsed {
        // A window may be taken over aggregates.
        let stands =
            matches!(self.clause, Clause::List | Clause::Having | Clause::Qualify | Clause::Window);
        if !stands {
            let message = format!("the aggregate {} stands here", token.shown());
            return Err(Refusal::new(&rules::AGGREGATE_PLACE, token.at, message));
        }
        let extreme = token.is_word("min") || token.is_word("max");
        if let (false, Some(scope)) = (extreme, self.scope()) {
            scope.aggregate.get_or_insert(token.at);
        }
        Ok(())
    }

    fn window_stands(&mut self, token: Token<'_>) -> Parsed {
        if !matches!(self.clause, Clause::List | Clause::Qualify) {
            let message = format!("the window function {} stands here", token.shown());
            return Err(Refusal::new(&rules::WINDOW_PLACE, token.at, message));
        }
        if let Some(scope) = self.scope() {
            scope.window.get_or_insert(token.at);
        }
        Ok(())
    }

    fn note_node(&mut self, function: &Function, token: Token<'_>) {
        let leader = matches!(function.class, Class::Leader | Class::BareLeader);
        if leader && self.facts.leader.is_none() {
            self.facts.leader = Some((token.text.to_ascii_lowercase(), token.at));
        }
    }

    /// A query in parentheses.
    pub(crate) fn subquery(&mut self, position: Position) -> Parsed {
        if self.clause == Clause::Default {
            return self.refuse(&rules::DEFAULT_VALUE, "a query stands in a default");
        }
        self.expect_sign("(")?;
        self.nested(|parser| parser.query(position))?;
        self.expect_sign(")")
    }
}

fn is_own(name: Token<'_>) -> bool {
    name.text.trim_matches('"').get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("f_"))
}

fn check_count(function: &Function, token: Token<'_>, count: usize) -> Parsed {
    let Function { least, most, page, .. } = *function;
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let message = format!("{} gets {count} arguments", token.shown());
    let hint = match (least, most) {
        (_, usize::MAX) => format!("it takes {least} or more"),
        _ if least == most => format!("it takes {least}"),
        _ => format!("it takes {least} to {most}"),
    };
    Err(Refusal::new(&rules::ARGUMENTS, token.at, message).page(page).hint(hint))
}
