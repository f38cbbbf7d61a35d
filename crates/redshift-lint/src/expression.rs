//! Expressions: what may stand where a value is asked for.
//!
//! Precedence changes the meaning of a text, not whether it has one, so there are four levels only: OR and AND, NOT, conditions, and everything that is calculated.

use crate::lexer::Kind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;

/// Operators between two values. Which of them have a meaning on text or dates is not the gate's to say.
const BETWEEN_VALUES: &[&str] = &["+", "-", "*", "/", "%", "^", "||", "&", "<<", ">>"];
const BEFORE_VALUE: &[&str] = &["+", "-", "@", "|/", "||/"];
const COMPARISONS: &[&str] = &["=", "<>", "!=", "<", ">", "<=", ">="];

impl Parser<'_> {
    /// Any expression.
    pub(crate) fn expression(&mut self) -> Parsed {
        self.nested(|parser| {
            loop {
                parser.condition()?;
                if !(parser.eat("and") || parser.eat("or")) {
                    return Ok(());
                }
            }
        })
    }

    fn condition(&mut self) -> Parsed {
        if self.eat("not") {
            return self.nested(Self::condition);
        }
        self.value()?;
        let mut compared = false;
        loop {
            if self.eat("is") {
                self.truth()?;
            } else if compared || !self.comparison()? {
                return Ok(());
            } else {
                compared = true;
            }
        }
    }

    fn truth(&mut self) -> Parsed {
        let not = self.eat("not");
        if self.are(&["distinct", "from"]) {
            let words = if not { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" };
            return self.refuse(&rules::IS_DISTINCT, format!("{words} stands here"));
        }
        self.expect_any(&["null", "true", "false", "unknown"]).map(drop)
    }

    /// What compares the value before it with something; false when there is nothing of the kind.
    fn comparison(&mut self) -> Parsed<bool> {
        if let Some(sign) = COMPARISONS.iter().find(|sign| self.is_sign(sign)) {
            self.take();
            if self.is_any(&["any", "some", "all"]) {
                return self.quantified(sign).map(|()| true);
            }
            return self.value().map(|()| true);
        }
        if self.eat_sign("~") || self.eat_sign("!~") {
            return self.value().map(|()| true);
        }
        let negated = ["between", "in", "like", "ilike", "similar"];
        if self.is("not") && negated.iter().any(|word| self.ahead(1).is_word(word)) {
            self.take();
        }
        match self.eat_any(&["between", "in", "like", "ilike", "similar"]) {
            Some("between") => {
                self.value()?;
                self.expect("and")?;
                self.value()?;
            }
            Some("in") => self.members()?,
            Some("similar") => {
                self.expect("to")?;
                self.pattern()?;
            }
            Some(_) => self.pattern()?,
            None => return Ok(false),
        }
        Ok(true)
    }

    fn pattern(&mut self) -> Parsed {
        self.value()?;
        if self.eat("escape") {
            self.text("the escape character")?;
        }
        Ok(())
    }

    fn quantified(&mut self, sign: &str) -> Parsed {
        let documented = if self.is("all") { ["<>", "!="].contains(&sign) } else { sign == "=" };
        let query = self.ahead(1).is_sign("(")
            && ["select", "with"].iter().any(|w| self.ahead(2).is_word(w));
        if !documented || !query {
            let message = format!("`{sign} {}` stands here", self.peek().text);
            return self.refuse(&rules::QUANTIFIED, message);
        }
        self.take();
        self.subquery(Position::In)
    }

    fn members(&mut self) -> Parsed {
        if self.begins_query() {
            return self.subquery(Position::In);
        }
        self.parenthesised(Self::expression).map(drop)
    }

    /// Whether `(select` or `(with` comes next.
    pub(crate) fn begins_query(&self) -> bool {
        let mut places = 0;
        while self.ahead(places).is_sign("(") {
            places += 1;
        }
        places > 0 && ["select", "with"].iter().any(|word| self.ahead(places).is_word(word))
    }

    /// A value: terms with operators between them.
    pub(crate) fn value(&mut self) -> Parsed {
        loop {
            self.term()?;
            if self.is("operator") && self.ahead(1).is_sign("(") {
                return self.unexpected("an operator");
            }
            if !BETWEEN_VALUES.iter().any(|sign| self.is_sign(sign)) {
                return Ok(());
            }
            self.take();
        }
    }

    fn term(&mut self) -> Parsed {
        if BEFORE_VALUE.iter().any(|sign| self.is_sign(sign)) {
            self.take();
            return self.nested(Self::term);
        }
        self.primary()?;
        loop {
            if self.eat_sign("::") {
                self.data_type()?;
            } else if self.are(&["at", "time", "zone"]) {
                self.expect_all(&["at", "time", "zone"])?;
                self.primary()?;
            } else if self.is_sign("[") {
                return self.refuse(&rules::ARRAY, "a subscript stands behind what is no column");
            } else {
                return Ok(());
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let token = self.peek();
        match token.kind {
            Kind::Text | Kind::Number => drop(self.take()),
            Kind::Parameter => return self.parameter(),
            Kind::Sign if token.text == "(" => return self.parenthesis(),
            Kind::Word
                if token.is_word("null") || token.is_word("true") || token.is_word("false") =>
            {
                self.take();
            }
            Kind::Word | Kind::Quoted => return self.nested(Self::named),
            _ => return self.unexpected("a value"),
        }
        Ok(())
    }

    fn parameter(&mut self) -> Parsed {
        let token = self.peek();
        let number: u32 = token.text[1..].parse().unwrap_or(u32::MAX);
        let Some(most) = self.arguments else {
            return self
                .refuse(&rules::PARAMETER, format!("the parameter {} stands here", token.shown()));
        };
        if number == 0 || number > most {
            let message =
                format!("{} stands in the body of a function of {most} arguments", token.shown());
            return self.refuse(&rules::UDF_ARGUMENT, message);
        }
        self.facts.parameter = self.facts.parameter.max(number);
        self.take();
        Ok(())
    }

    fn parenthesis(&mut self) -> Parsed {
        if self.begins_query() && ["select", "with"].iter().any(|word| self.ahead(1).is_word(word))
        {
            return self.subquery(Position::Value);
        }
        self.expect_sign("(")?;
        self.expression()?;
        if self.is_sign(",") {
            return self.refuse(&rules::ROW_CONSTRUCTOR, "a row stands here");
        }
        self.expect_sign(")")
    }

    /// Whatever begins with a word: a form of its own, a function, a column.
    fn named(&mut self) -> Parsed {
        let token = self.peek();
        let called = self.ahead(1).is_sign("(");
        if token.kind == Kind::Word {
            match token.text.to_ascii_lowercase().as_str() {
                "case" => return self.case(),
                "cast" => return self.cast(),
                "exists" if called => {
                    self.take();
                    return self.subquery(Position::Value);
                }
                "extract" if called => return self.extract(),
                "interval" => return self.interval(),
                "date" | "time" | "timestamp" | "timetz" | "timestamptz"
                    if self.ahead(1).kind == Kind::Text =>
                {
                    self.take();
                    self.take();
                    return Ok(());
                }
                "array" if self.ahead(1).is_sign("[") => {
                    return self.refuse(&rules::ARRAY, "an array is constructed here");
                }
                "row" if called => {
                    return self.refuse(&rules::ROW_CONSTRUCTOR, "a row is constructed here");
                }
                _ => {}
            }
        }
        self.function_or_column()
    }

    fn case(&mut self) -> Parsed {
        self.expect("case")?;
        if !self.is("when") {
            self.expression()?;
        }
        if !self.is("when") {
            return self.unexpected("WHEN");
        }
        while self.eat("when") {
            self.expression()?;
            self.expect("then")?;
            self.expression()?;
        }
        if self.eat("else") {
            self.expression()?;
        }
        self.expect("end")
    }

    fn cast(&mut self) -> Parsed {
        self.take();
        self.expect_sign("(")?;
        self.expression()?;
        self.expect("as")?;
        self.data_type()?;
        self.expect_sign(")")
    }

    fn extract(&mut self) -> Parsed {
        self.take();
        self.expect_sign("(")?;
        self.date_part()?;
        self.expect("from")?;
        self.value()?;
        self.expect_sign(")")
    }

    /// A column, by a path that may lead into a super value.
    pub(crate) fn column(&mut self) -> Parsed {
        if self.clause == Clause::Default {
            return self.refuse(
                &rules::DEFAULT_VALUE,
                format!("the column {} stands in a default", self.peek().shown()),
            );
        }
        let at = self.peek().at;
        let first = self.name("a column")?;
        let mut parts = 1;
        loop {
            if self.is_sign(".") {
                self.take();
                if self.is_sign("*") {
                    return self.unexpected("a column");
                }
                self.path_part(parts)?;
                parts += 1;
            } else if self.is_sign("[") {
                self.subscript()?;
            } else {
                break;
            }
        }
        if parts > 1 {
            self.refers(first, at);
        }
        Ok(())
    }

    /// A name behind a dot. Behind the second one it is a key of a super value, which may be a reserved word.
    fn path_part(&mut self, parts: usize) -> Parsed {
        if parts >= 2 && self.peek().kind == Kind::Word {
            self.take();
            return Ok(());
        }
        self.name("a column").map(drop)
    }

    pub(crate) fn subscript(&mut self) -> Parsed {
        self.expect_sign("[")?;
        if self.peek().kind == Kind::Text {
            self.take();
        } else if self.peek().kind != Kind::Number {
            return self.refuse(&rules::ARRAY, "a subscript is no number");
        } else {
            self.integer("a subscript")?;
        }
        if self.is_sign(":") {
            return self.refuse(&rules::ARRAY, "a slice stands here");
        }
        self.expect_sign("]")
    }
}
