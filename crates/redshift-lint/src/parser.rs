//! Parser state, and the primitives of the grammar: peek, advance, expect, report a violation.
//!
//! The parser builds no syntax tree. It accepts or rejects, and collects the facts that rules about
//! the whole statement need.

use crate::keywords;
use crate::lexer::{Token, TokenKind, tokens, unescaped};
use crate::rules::{self, Rule};
use crate::scope::Scope;
use crate::violation::Violation;

pub(crate) type Parsed<T = ()> = Result<T, Violation>;

/// Maximum depth of nested parentheses, queries and prefix operators. Bounds the recursion.
const MAX_NESTING: u32 = 64;

/// Clause that contains an expression. It decides whether aggregates and window functions are
/// allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    /// Select list or ORDER BY: aggregates and window functions.
    SelectList,
    /// HAVING: aggregates.
    Having,
    /// QUALIFY: aggregates and window functions.
    Qualify,
    /// WHERE, GROUP BY, SET, VALUES: neither.
    Scalar,
    /// ON of an outer join: neither.
    OuterJoin,
    /// Arguments of an aggregate: neither.
    Aggregate,
    /// Arguments or OVER clause of a window function: aggregates.
    Window,
    /// Default of a column: also no columns, subqueries and UDFs.
    Default,
    /// CONNECT BY: neither, but PRIOR.
    Hierarchy,
}

/// Properties of a whole statement.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// True if the statement reads or writes a table outside the system catalogs.
    pub reads_table: bool,
    /// First function that runs only on the leader node, and its offset.
    pub leader_only: Option<(String, usize)>,
    /// First function that runs only on compute nodes, and its offset.
    pub compute_only: Option<(String, usize)>,
    /// Calls of UDFs: name, number of arguments, offset.
    pub udf_calls: Vec<(String, usize, usize)>,
    /// UDF that the statement creates: name, number of arguments.
    pub created_udf: Option<(String, usize)>,
    /// True if the statement is SELECT INTO.
    pub selects_into: bool,
    /// Highest `n` of all parameters `$n`.
    pub max_parameter: u32,
}

/// Parser of one statement.
pub(crate) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: u32,
    pub clause: Clause,
    pub scopes: Vec<Scope>,
    /// Non-recursive CTEs whose query is being parsed: they cannot read themselves.
    pub open_ctes: Vec<String>,
    pub facts: Facts,
    /// True while the first SELECT of a statement that is a query can have INTO.
    pub is_query_statement: bool,
    /// Number of arguments of the UDF whose body is parsed; `None` outside a body.
    pub arguments: Option<u32>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Parsed<Self> {
        Ok(Self {
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
            clause: Clause::Scalar,
            scopes: Vec::new(),
            open_ctes: Vec::new(),
            facts: Facts::default(),
            is_query_statement: false,
            arguments: None,
        })
    }

    /// Returns the next token without consuming it.
    pub(crate) fn peek(&self) -> Token<'a> {
        self.peek_nth(0)
    }

    /// Returns the token `n` positions after the next one, or the end token.
    pub(crate) fn peek_nth(&self, n: usize) -> Token<'a> {
        self.tokens[(self.next + n).min(self.tokens.len() - 1)]
    }

    /// Returns the consumed tokens from `token` on.
    pub(crate) fn tokens_since(&self, token: Token<'_>) -> &[Token<'a>] {
        let start = self.tokens.partition_point(|it| it.at < token.at);
        self.tokens.get(start..self.next).unwrap_or_default()
    }

    /// Consumes the next token. The end token stays.
    pub(crate) fn advance(&mut self) -> Token<'a> {
        let token = self.peek();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    /// Returns a violation at the next token.
    pub(crate) fn violation<T>(&self, rule: &Rule, message: impl Into<String>) -> Parsed<T> {
        Err(Violation::new(rule, self.peek().at, message))
    }

    /// Returns a violation because the next token is not what the grammar requires.
    pub(crate) fn unexpected<T>(&self, expected: &str) -> Parsed<T> {
        let found = self.peek();
        if found.kind == TokenKind::Parameter {
            let message = format!("the parameter {} is not allowed here", found.describe());
            return self.violation(&rules::PARAMETER, message);
        }
        if found.is_word("returning") {
            return self.violation(&rules::RETURNING, "RETURNING is not supported");
        }
        self.violation(
            &rules::UNEXPECTED,
            format!("expected {expected}, found {}", found.describe()),
        )
    }

    /// Returns true if the next token is this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.peek().is_word(keyword)
    }

    /// Returns true if the next tokens are these keywords, in this order.
    pub(crate) fn is_sequence(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(n, keyword)| self.peek_nth(n).is_word(keyword))
    }

    /// Returns true if the next token is one of these keywords.
    pub(crate) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.peek().is_symbol(symbol)
    }

    /// Consumes the next token if it is this keyword.
    pub(crate) fn eat(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        if found {
            self.advance();
        }
        found
    }

    /// Consumes the next tokens if they are these keywords, in this order.
    pub(crate) fn eat_sequence(&mut self, keywords: &[&str]) -> bool {
        let found = self.is_sequence(keywords);
        if found {
            self.next += keywords.len();
        }
        found
    }

    /// Consumes and returns the next token if it is one of these keywords.
    pub(crate) fn eat_any(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        keywords.iter().find(|keyword| self.eat(keyword)).copied()
    }

    pub(crate) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(crate) fn expect(&mut self, keyword: &str) -> Parsed {
        if self.eat(keyword) { Ok(()) } else { self.unexpected(&keyword.to_uppercase()) }
    }

    pub(crate) fn expect_sequence(&mut self, keywords: &[&str]) -> Parsed {
        keywords.iter().try_for_each(|keyword| self.expect(keyword))
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Parsed {
        if self.eat_symbol(symbol) { Ok(()) } else { self.unexpected(&format!("`{symbol}`")) }
    }

    /// Consumes and returns one of these keywords.
    pub(crate) fn expect_any(&mut self, keywords: &[&'static str]) -> Parsed<&'static str> {
        match self.eat_any(keywords) {
            Some(keyword) => Ok(keyword),
            None => self.unexpected(&format!("one of {}", keywords.join(", ").to_uppercase())),
        }
    }

    /// Parses an optional `;` and requires that nothing follows it.
    pub(crate) fn end_of_statement(&mut self) -> Parsed {
        let closed = self.eat_symbol(";");
        match self.peek().kind {
            TokenKind::End => Ok(()),
            _ if closed => self.violation(&rules::STATEMENT_COUNT, "a second statement follows"),
            _ => self.unexpected("the end of the statement"),
        }
    }

    /// Parses with the nesting depth increased by one.
    pub(crate) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_NESTING {
            let message = format!("more than {MAX_NESTING} levels of nesting");
            return self.violation(&rules::NESTING, message);
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Parses with `clause` as the current clause.
    pub(crate) fn in_clause<T>(
        &mut self,
        clause: Clause,
        parse: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let outer = std::mem::replace(&mut self.clause, clause);
        let result = parse(self);
        self.clause = outer;
        result
    }

    /// Parses one or more items separated by commas, and returns their number.
    pub(crate) fn comma_separated(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed,
    ) -> Parsed<usize> {
        let mut count = 0;
        loop {
            item(self)?;
            count += 1;
            if !self.eat_symbol(",") {
                return Ok(count);
            }
        }
    }

    /// Parses one or more items in parentheses, and returns their number.
    pub(crate) fn parenthesized_list(
        &mut self,
        item: impl FnMut(&mut Self) -> Parsed,
    ) -> Parsed<usize> {
        self.expect_symbol("(")?;
        let count = self.comma_separated(item)?;
        self.expect_symbol(")")?;
        Ok(count)
    }

    /// Parses a name and returns it in lower case. Redshift folds quoted names too.
    pub(crate) fn name(&mut self, expected: &str) -> Parsed<String> {
        let token = self.peek();
        match token.kind {
            TokenKind::Word if keywords::is_reserved(token.text) => {
                let message = format!("expected {expected}, found reserved word `{}`", token.text);
                self.violation(&rules::RESERVED, message)
            }
            // `#name` is a temporary table, and no other kind of name.
            TokenKind::Word
                if token.text.starts_with('#')
                    && expected != "a table"
                    && !self.peek_nth(1).is_symbol(".") =>
            {
                self.unexpected(expected)
            }
            TokenKind::Word => Ok(self.advance().text.to_ascii_lowercase()),
            TokenKind::QuotedName => {
                let inner = &token.text[1..token.text.len() - 1];
                self.advance();
                Ok(inner.replace("\"\"", "\"").to_ascii_lowercase())
            }
            _ => self.unexpected(expected),
        }
    }

    /// Parses a name after a dot or AS, where reserved words are names too.
    pub(crate) fn label(&mut self, expected: &str) -> Parsed<String> {
        let token = self.peek();
        if token.kind == TokenKind::Word && !token.text.starts_with('#') {
            self.advance();
            return Ok(token.text.to_ascii_lowercase());
        }
        self.name(expected)
    }

    /// Parses `[[database.]schema.]name` and returns the last part.
    pub(crate) fn qualified_name(&mut self, expected: &str) -> Parsed<String> {
        let mut parts = 1;
        let mut name = self.name(expected)?;
        while self.is_symbol(".") && parts < 3 {
            self.advance();
            name = self.label(expected)?;
            parts += 1;
        }
        Ok(name)
    }

    /// Parses the name of a table that the statement reads or writes.
    pub(crate) fn table_name(&mut self) -> Parsed<String> {
        let schema = self.peek();
        let name = self.qualified_name("a table")?;
        let catalog = ["pg_catalog", "information_schema"].iter().any(|it| schema.is_word(it));
        // Catalog tables are on the leader node, so leader-node functions may read them.
        if !catalog && !name.starts_with("pg_") {
            self.facts.reads_table = true;
        }
        Ok(name)
    }

    /// Parses a string literal and returns its value.
    pub(crate) fn string_literal(&mut self, expected: &str) -> Parsed<String> {
        match self.peek().kind {
            TokenKind::StringLiteral => Ok(unescaped(self.advance().text)),
            _ => self.unexpected(expected),
        }
    }

    /// Parses an unsigned whole number.
    pub(crate) fn integer(&mut self, expected: &str) -> Parsed<u64> {
        let token = self.peek();
        match token.text.parse() {
            Ok(number) if token.kind == TokenKind::Number => {
                self.advance();
                Ok(number)
            }
            _ => self.unexpected(expected),
        }
    }

    /// Checks the rules about the whole statement.
    pub(crate) fn check_facts(&self) -> Parsed {
        let facts = &self.facts;
        if let (true, Some((name, at))) = (facts.reads_table, &facts.leader_only) {
            let message = format!("the leader-node function `{name}` is used with a table");
            return Err(Violation::new(&rules::LEADER_NODE, *at, message));
        }
        if let (false, Some((name, at))) = (facts.reads_table, &facts.compute_only) {
            let message = format!("the compute-node function `{name}` is used without a table");
            return Err(Violation::new(&rules::COMPUTE_NODE, *at, message));
        }
        Ok(())
    }
}
