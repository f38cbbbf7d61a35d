//! The place in a statement, and what every part of the grammar needs: look, take, expect, refuse.
//!
//! There is no tree: the grammar only says yes or no, and keeps what later rules ask for (which tables are read, which functions are called).

use crate::Form;
use crate::lexer::{Kind, Token, tokens, unescaped};
use crate::refusal::Refusal;
use crate::rules::{self, Rule};
use crate::scope::Scope;
use crate::words;

pub(crate) type Parsed<T = ()> = Result<T, Refusal>;

/// The deepest that parentheses, queries and signs may lie in each other.
const LEVELS: u32 = 64;

/// Where in a query an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    /// The select list or ORDER BY: aggregates and windows may stand here.
    List,
    /// HAVING: aggregates.
    Having,
    /// QUALIFY: both.
    Qualify,
    /// WHERE, GROUP BY, SET, VALUES: neither.
    Plain,
    /// ON of an outer join.
    OuterJoin,
    /// Within an aggregate's parentheses.
    Aggregate,
    /// Within those of a function of a window.
    Window,
    /// The default of a column.
    Default,
}

/// What was seen of a statement, for the rules that are about all of it.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// A table of the user's is read or written.
    pub table: bool,
    /// The first function that only the leader node has.
    pub leader: Option<(String, usize)>,
    /// The first function that only the compute nodes have.
    pub compute: Option<(String, usize)>,
    /// Calls of functions of one's own: name, arguments, place.
    pub calls: Vec<(String, usize, usize)>,
    /// The function that the statement creates: name, arguments.
    pub creates: Option<(String, usize)>,
    /// The highest `$n`.
    pub parameter: u32,
}

/// A statement being read.
pub(crate) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: u32,
    pub clause: Clause,
    pub scopes: Vec<Scope>,
    /// CTEs without RECURSIVE whose query is being read: they may not read themselves.
    pub defining: Vec<String>,
    pub facts: Facts,
    /// How many arguments the function has whose body this is.
    pub arguments: Option<u32>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Parsed<Self> {
        Ok(Self {
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
            clause: Clause::Plain,
            scopes: Vec::new(),
            defining: Vec::new(),
            facts: Facts::default(),
            arguments: None,
        })
    }

    /// The token that is next.
    pub(crate) fn peek(&self) -> Token<'a> {
        self.ahead(0)
    }

    /// The token `places` behind the next one.
    pub(crate) fn ahead(&self, places: usize) -> Token<'a> {
        self.tokens[(self.next + places).min(self.tokens.len() - 1)]
    }

    /// The tokens that were taken from `token` on.
    pub(crate) fn since(&self, token: Token<'_>) -> &[Token<'a>] {
        let start = self.tokens.partition_point(|it| it.at < token.at);
        self.tokens.get(start..self.next).unwrap_or_default()
    }

    pub(crate) fn take(&mut self) -> Token<'a> {
        let token = self.peek();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    /// Refuses for what stands at the next token.
    pub(crate) fn refuse<T>(&self, rule: &Rule, message: impl Into<String>) -> Parsed<T> {
        Err(Refusal::new(rule, self.peek().at, message))
    }

    /// Refuses since the next token is not what the form asks for.
    pub(crate) fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let found = self.peek();
        let message = match found.kind {
            Kind::Parameter => {
                return self.refuse(&rules::PARAMETER, format!("{} stands here", found.shown()));
            }
            _ if found.is_word("returning") => {
                return self.refuse(&rules::RETURNING, "RETURNING stands here");
            }
            _ => format!("{} stands where {wanted} should", found.shown()),
        };
        self.refuse(&rules::UNEXPECTED, message)
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.peek().is_word(word)
    }

    /// Whether the words come next, one after the other.
    pub(crate) fn are(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(place, word)| self.ahead(place).is_word(word))
    }

    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.peek().is_sign(sign)
    }

    /// Takes the word if it is next.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.take();
        }
        found
    }

    /// Takes the words if they come next, all of them.
    pub(crate) fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = self.are(words);
        if found {
            self.next += words.len();
        }
        found
    }

    /// Takes the one of the words that is next.
    pub(crate) fn eat_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().find(|word| self.eat(word)).copied()
    }

    pub(crate) fn eat_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.take();
        }
        found
    }

    pub(crate) fn expect(&mut self, word: &str) -> Parsed {
        if self.eat(word) { Ok(()) } else { self.unexpected(&word.to_uppercase()) }
    }

    pub(crate) fn expect_all(&mut self, words: &[&str]) -> Parsed {
        words.iter().try_for_each(|word| self.expect(word))
    }

    pub(crate) fn expect_sign(&mut self, sign: &str) -> Parsed {
        if self.eat_sign(sign) { Ok(()) } else { self.unexpected(&format!("`{sign}`")) }
    }

    /// One of the words, or a refusal that lists them.
    pub(crate) fn expect_any(&mut self, words: &[&'static str]) -> Parsed<&'static str> {
        match self.eat_any(words) {
            Some(word) => Ok(word),
            None => self.unexpected(&words.join(", ").to_uppercase()),
        }
    }

    /// The end of the statement: a `;` and nothing behind it.
    pub(crate) fn end(&mut self) -> Parsed {
        let closed = self.eat_sign(";");
        match self.peek().kind {
            Kind::End => Ok(()),
            _ if closed => self.refuse(&rules::STATEMENT_COUNT, "a second statement begins here"),
            _ => self.unexpected("the end of the statement"),
        }
    }

    /// Reads with one more level around.
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == LEVELS {
            return self
                .refuse(&rules::NESTING, format!("more than {LEVELS} levels lie in each other"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Reads an expression's place as `clause`.
    pub(crate) fn within<T>(
        &mut self,
        clause: Clause,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let around = std::mem::replace(&mut self.clause, clause);
        let result = read(self);
        self.clause = around;
        result
    }

    /// One or more, with commas between them; says how many.
    pub(crate) fn list(&mut self, mut item: impl FnMut(&mut Self) -> Parsed) -> Parsed<usize> {
        let mut count = 0;
        loop {
            item(self)?;
            count += 1;
            if !self.eat_sign(",") {
                return Ok(count);
            }
        }
    }

    /// The same in parentheses.
    pub(crate) fn parenthesised(&mut self, item: impl FnMut(&mut Self) -> Parsed) -> Parsed<usize> {
        self.expect_sign("(")?;
        let count = self.list(item)?;
        self.expect_sign(")")?;
        Ok(count)
    }

    /// A name, folded as Redshift folds it.
    pub(crate) fn name(&mut self, what: &str) -> Parsed<String> {
        let token = self.peek();
        match token.kind {
            Kind::Word if words::is_reserved(token.text) => {
                let message =
                    format!("the reserved word `{}` stands where {what} should", token.text);
                self.refuse(&rules::RESERVED, message)
            }
            Kind::Word
                if token.text.starts_with('#')
                    && what != "a table"
                    && !self.ahead(1).is_sign(".") =>
            {
                self.unexpected(what)
            }
            Kind::Word => Ok(self.take().text.to_ascii_lowercase()),
            Kind::Quoted => {
                let inner = &token.text[1..token.text.len() - 1];
                self.take();
                Ok(inner.replace("\"\"", "\"").to_ascii_lowercase())
            }
            _ => self.unexpected(what),
        }
    }

    /// `[[database.]schema.]name`, of which the last part is given back.
    pub(crate) fn qualified(&mut self, what: &str) -> Parsed<String> {
        let mut parts = 1;
        let mut name = self.name(what)?;
        while self.is_sign(".") && parts < 3 {
            self.take();
            name = self.name(what)?;
            parts += 1;
        }
        Ok(name)
    }

    /// The name of a table that the statement reads or writes.
    pub(crate) fn table(&mut self) -> Parsed<String> {
        let schema = self.peek();
        let name = self.qualified("a table")?;
        let catalog = ["pg_catalog", "information_schema"].iter().any(|it| schema.is_word(it));
        if !catalog && !name.starts_with("pg_") {
            self.facts.table = true;
        }
        Ok(name)
    }

    /// A plain string, as Redshift reads it.
    pub(crate) fn text(&mut self, what: &str) -> Parsed<String> {
        match self.peek().kind {
            Kind::Text => Ok(unescaped(self.take().text)),
            _ => self.unexpected(what),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, what: &str) -> Parsed<u64> {
        let token = self.peek();
        match token.text.parse() {
            Ok(number) if token.kind == Kind::Number => {
                self.take();
                Ok(number)
            }
            _ => self.unexpected(what),
        }
    }

    /// What is true of the statement as a whole.
    pub(crate) fn conclude(&self, form: Form) -> Parsed<Form> {
        let facts = &self.facts;
        if let (true, Some((name, at))) = (facts.table, &facts.leader) {
            let message = format!("`{name}` stands beside a table");
            return Err(Refusal::new(&rules::LEADER_NODE, *at, message));
        }
        if let (false, Some((name, at))) = (facts.table, &facts.compute) {
            let message = format!("`{name}` stands in a query without a table");
            return Err(Refusal::new(&rules::COMPUTE_NODE, *at, message));
        }
        Ok(form)
    }
}
