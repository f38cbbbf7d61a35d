//! Expressions.
//!
//! Operator precedence changes the meaning of an expression, not its validity. So the grammar has
//! only four levels: AND and OR, NOT, comparisons, and all other operators.

use crate::lexer::TokenKind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;

/// Operators between two values. The linter does not know types, so it accepts all of them for all
/// values.
const BINARY_OPERATORS: &[&str] = &["+", "-", "*", "/", "%", "^", "||", "&", "<<", ">>"];
const PREFIX_OPERATORS: &[&str] = &["+", "-", "@", "|/", "||/"];
const COMPARISONS: &[&str] = &["=", "<>", "!=", "<", ">", "<=", ">="];

impl Parser<'_> {
    /// Parses an expression.
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
                self.is_test()?;
            } else if compared || !self.comparison()? {
                return Ok(());
            } else {
                compared = true;
            }
        }
    }

    /// Parses what follows IS.
    fn is_test(&mut self) -> Parsed {
        let not = self.eat("not");
        if self.is_sequence(&["distinct", "from"]) {
            let keywords = if not { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" };
            return self.violation(&rules::IS_DISTINCT, format!("{keywords} is not supported"));
        }
        self.expect_any(&["null", "true", "false", "unknown"]).map(drop)
    }

    /// Parses a comparison operator and its right operand. Returns false if there is none.
    fn comparison(&mut self) -> Parsed<bool> {
        if let Some(sign) = COMPARISONS.iter().find(|sign| self.is_symbol(sign)) {
            self.advance();
            if self.is_any(&["any", "some", "all"]) {
                return self.quantified(sign).map(|()| true);
            }
            return self.value().map(|()| true);
        }
        if self.eat_symbol("~") || self.eat_symbol("!~") {
            return self.value().map(|()| true);
        }
        let negated = ["between", "in", "like", "ilike", "similar"];
        if self.is("not") && negated.iter().any(|keyword| self.peek_nth(1).is_word(keyword)) {
            self.advance();
        }
        match self.eat_any(&["between", "in", "like", "ilike", "similar"]) {
            Some("between") => {
                self.value()?;
                self.expect("and")?;
                self.value()?;
            }
            Some("in") => self.in_operand()?,
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
            self.string_literal("the escape character")?;
        }
        Ok(())
    }

    /// Parses ANY, SOME or ALL and its subquery after a comparison operator.
    fn quantified(&mut self, sign: &str) -> Parsed {
        let documented = if self.is("all") { ["<>", "!="].contains(&sign) } else { sign == "=" };
        let query = self.peek_nth(1).is_symbol("(")
            && ["select", "with"].iter().any(|w| self.peek_nth(2).is_word(w));
        if !documented || !query {
            let message = format!("`{sign} {}` is not supported", self.peek().text);
            return self.violation(&rules::QUANTIFIED, message);
        }
        self.advance();
        self.subquery(Position::In)
    }

    fn in_operand(&mut self) -> Parsed {
        if self.begins_query() {
            return self.subquery(Position::In);
        }
        self.parenthesized_list(Self::expression).map(drop)
    }

    /// Returns true if the next tokens start a query in one or more parentheses.
    pub(crate) fn begins_query(&self) -> bool {
        let mut n = 0;
        while self.peek_nth(n).is_symbol("(") {
            n += 1;
        }
        n > 0 && ["select", "with"].iter().any(|keyword| self.peek_nth(n).is_word(keyword))
    }

    /// Parses terms with binary operators between them.
    pub(crate) fn value(&mut self) -> Parsed {
        loop {
            self.term()?;
            if self.is("operator") && self.peek_nth(1).is_symbol("(") {
                return self.unexpected("an operator");
            }
            if !BINARY_OPERATORS.iter().any(|sign| self.is_symbol(sign)) {
                return Ok(());
            }
            self.advance();
        }
    }

    fn term(&mut self) -> Parsed {
        if PREFIX_OPERATORS.iter().any(|sign| self.is_symbol(sign)) {
            self.advance();
            return self.nested(Self::term);
        }
        self.primary()?;
        loop {
            if self.eat_symbol("::") {
                self.data_type()?;
            } else if self.is_sequence(&["at", "time", "zone"]) {
                self.expect_sequence(&["at", "time", "zone"])?;
                self.primary()?;
            } else if self.is_symbol("[") {
                return self.violation(&rules::ARRAY, "only a column can have a subscript");
            } else {
                return Ok(());
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let token = self.peek();
        match token.kind {
            TokenKind::StringLiteral | TokenKind::Number => drop(self.advance()),
            TokenKind::Parameter => return self.parameter(),
            TokenKind::Symbol if token.text == "(" => return self.parenthesized(),
            TokenKind::Word
                if token.is_word("null") || token.is_word("true") || token.is_word("false") =>
            {
                self.advance();
            }
            TokenKind::Word | TokenKind::QuotedName => return self.nested(Self::named_term),
            _ => return self.unexpected("a value"),
        }
        Ok(())
    }

    fn parameter(&mut self) -> Parsed {
        let token = self.peek();
        let number: u32 = token.text[1..].parse().unwrap_or(u32::MAX);
        let Some(max) = self.arguments else {
            return self.violation(
                &rules::PARAMETER,
                format!("the parameter {} is not allowed here", token.describe()),
            );
        };
        if number == 0 || number > max {
            let message = format!("the function has {max} arguments, no {}", token.describe());
            return self.violation(&rules::UDF_ARGUMENT, message);
        }
        self.facts.max_parameter = self.facts.max_parameter.max(number);
        self.advance();
        Ok(())
    }

    fn parenthesized(&mut self) -> Parsed {
        if self.begins_query()
            && ["select", "with"].iter().any(|keyword| self.peek_nth(1).is_word(keyword))
        {
            return self.subquery(Position::Scalar);
        }
        self.expect_symbol("(")?;
        self.expression()?;
        if self.eat_symbol(",") {
            return self.row_membership();
        }
        self.expect_symbol(")")
    }

    /// Parses the rest of `(a, b) [not] in ((1, 2), …)`, the only place for a list of expressions.
    fn row_membership(&mut self) -> Parsed {
        let count = 1 + self.comma_separated(Self::expression)?;
        self.expect_symbol(")")?;
        self.eat("not");
        if !self.eat("in") || self.begins_query() {
            return self.violation(&rules::ROW_CONSTRUCTOR, "row constructors are not supported");
        }
        self.parenthesized_list(|parser| {
            let at = parser.peek().at;
            if parser.parenthesized_list(Self::expression)? == count {
                return Ok(());
            }
            let message = format!("the list of expressions has not {count} of them");
            Err(crate::Violation::new(&rules::ROW_CONSTRUCTOR, at, message))
        })
        .map(drop)
    }

    /// Parses a term that starts with a word: special syntax, a function call, or a column.
    fn named_term(&mut self) -> Parsed {
        let token = self.peek();
        let is_call = self.peek_nth(1).is_symbol("(");
        if token.kind == TokenKind::Word {
            match token.text.to_ascii_lowercase().as_str() {
                "case" => return self.case(),
                "cast" => return self.cast(),
                "exists" if is_call => {
                    self.advance();
                    return self.subquery(Position::Scalar);
                }
                "extract" if is_call => return self.extract(),
                "interval" => return self.interval(),
                "date" | "time" | "timestamp" | "timetz" | "timestamptz"
                    if self.peek_nth(1).kind == TokenKind::StringLiteral =>
                {
                    self.advance();
                    self.advance();
                    return Ok(());
                }
                "time" | "timestamp" if self.is_zoned_literal() => {
                    self.data_type()?;
                    self.advance();
                    return Ok(());
                }
                "prior" if self.clause == Clause::Hierarchy && !is_call => {
                    self.advance();
                    return self.column();
                }
                "array" if self.peek_nth(1).is_symbol("[") => {
                    return self.violation(&rules::ARRAY, "array constructors are not supported");
                }
                "row" if is_call => {
                    return self
                        .violation(&rules::ROW_CONSTRUCTOR, "row constructors are not supported");
                }
                _ => {}
            }
        }
        self.function_or_column()
    }

    /// Looks ahead: returns true for `timestamp with time zone '…'`.
    fn is_zoned_literal(&self) -> bool {
        ["with", "without"].iter().any(|word| self.peek_nth(1).is_word(word))
            && self.peek_nth(2).is_word("time")
            && self.peek_nth(3).is_word("zone")
            && self.peek_nth(4).kind == TokenKind::StringLiteral
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
        self.advance();
        self.expect_symbol("(")?;
        self.expression()?;
        self.expect("as")?;
        self.data_type()?;
        self.expect_symbol(")")
    }

    fn extract(&mut self) -> Parsed {
        self.advance();
        self.expect_symbol("(")?;
        self.date_part()?;
        self.expect("from")?;
        self.value()?;
        self.expect_symbol(")")
    }

    /// Parses a column, optionally qualified, and a path into a super value.
    pub(crate) fn column(&mut self) -> Parsed {
        if self.clause == Clause::Default {
            return self.violation(
                &rules::DEFAULT_VALUE,
                format!("the default contains the column {}", self.peek().describe()),
            );
        }
        let at = self.peek().at;
        let first = self.name("a column")?;
        let mut parts = 1;
        loop {
            if self.is_symbol(".") {
                self.advance();
                if self.is_symbol("*") {
                    return self.unexpected("a column");
                }
                self.label("a column")?;
                parts += 1;
            } else if self.is_symbol("[") {
                self.subscript()?;
            } else {
                break;
            }
        }
        if parts > 1 {
            self.add_reference(first, at);
        }
        Ok(())
    }

    pub(crate) fn subscript(&mut self) -> Parsed {
        self.expect_symbol("[")?;
        if self.peek().kind == TokenKind::StringLiteral {
            self.advance();
        } else if self.peek().kind != TokenKind::Number {
            return self.violation(&rules::ARRAY, "the subscript is not a number");
        } else {
            self.integer("a subscript")?;
        }
        if self.is_symbol(":") {
            return self.violation(&rules::ARRAY, "slices are not supported");
        }
        self.expect_symbol("]")
    }
}
