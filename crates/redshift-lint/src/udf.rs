//! CREATE FUNCTION and DROP FUNCTION for UDFs in SQL.

use crate::StatementKind;
use crate::lexer::TokenKind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;
use crate::violation::Violation;

const MAX_ARGUMENTS: usize = 32;

impl Parser<'_> {
    /// Parses CREATE FUNCTION after `create [or replace]`.
    pub(crate) fn create_function(&mut self) -> Parsed<StatementKind> {
        self.expect("function")?;
        let at = self.peek().at;
        let name = self.udf_name()?;
        let count = self.argument_types()?;
        if count > MAX_ARGUMENTS {
            return Err(Violation::new(
                &rules::UDF_FORM,
                at,
                format!("the function has {count} arguments"),
            ));
        }
        if !self.eat("returns") {
            return self.violation(
                &rules::UDF_FORM,
                format!("expected RETURNS, found {}", self.peek().describe()),
            );
        }
        self.data_type()?;
        if self.eat_any(&["volatile", "stable", "immutable"]).is_none() {
            return self.violation(
                &rules::UDF_FORM,
                "the function is neither VOLATILE, STABLE nor IMMUTABLE",
            );
        }
        if !self.eat("as") {
            return self.violation(
                &rules::UDF_FORM,
                format!("expected AS, found {}", self.peek().describe()),
            );
        }
        let body = self.peek();
        if body.kind != TokenKind::DollarQuoted {
            return self.violation(&rules::UDF_FORM, "the body is not quoted by `$$`");
        }
        self.advance();
        if !(self.eat("language") && self.eat("sql")) {
            return self.violation(&rules::UDF_FORM, "the function is not written in SQL");
        }
        let inner = &body.text[2..body.text.len() - 2];
        let start = body.at + 2;
        let calls = check_body(inner, count).map_err(|violation| violation.shifted(start))?;
        let calls = calls.into_iter().map(|(name, count, at)| (name, count, at + start));
        self.facts.udf_calls.extend(calls);
        self.facts.created_udf = Some((name, count));
        Ok(StatementKind::CreateFunction)
    }

    fn udf_name(&mut self) -> Parsed<String> {
        let at = self.peek().at;
        let name = self.qualified_name("the function's name")?;
        if !name.starts_with("f_") {
            return Err(Violation::new(
                &rules::FUNCTION_NAME,
                at,
                format!("the UDF `{name}` has no prefix `f_`"),
            ));
        }
        Ok(name)
    }

    fn argument_types(&mut self) -> Parsed<usize> {
        if self.is_symbol("(") && self.peek_nth(1).is_symbol(")") {
            self.advance();
            self.advance();
            return Ok(0);
        }
        self.parenthesized_list(|parser| {
            // `name type` is the syntax of Python UDFs.
            if matches!(parser.peek_nth(1).kind, TokenKind::Word) && parser.is_argument_name() {
                return parser.violation(&rules::UDF_FORM, "the argument has a name");
            }
            parser.data_type().map(drop)
        })
    }

    /// Returns true if the next of two words is not the start of a type of several words.
    fn is_argument_name(&self) -> bool {
        let type_words = ["precision", "varying", "with", "without"];
        !type_words.iter().any(|word| self.peek_nth(1).is_word(word))
    }

    /// Parses DROP FUNCTION after `drop`.
    pub(crate) fn drop_function(&mut self) -> Parsed<StatementKind> {
        self.expect("function")?;
        if self.is("if") {
            return self.violation(&rules::UDF_FORM, "DROP FUNCTION has no IF EXISTS");
        }
        self.udf_name()?;
        if !self.is_symbol("(") {
            return self.violation(&rules::UDF_FORM, "DROP FUNCTION needs the argument types");
        }
        self.argument_types()?;
        self.eat_any(&["cascade", "restrict"]);
        Ok(StatementKind::DropFunction)
    }
}

/// Parses the body, one SELECT of one expression, and returns its calls of UDFs.
fn check_body(body: &str, arguments: usize) -> Parsed<Vec<(String, usize, usize)>> {
    let mut parser = Parser::new(body)?;
    parser.arguments = Some(u32::try_from(arguments).unwrap_or(u32::MAX));
    if !parser.eat("select") {
        return parser.violation(
            &rules::UDF_BODY,
            format!("the body starts with {}", parser.peek().describe()),
        );
    }
    if parser.is_any(&["distinct", "all", "top"]) {
        return parser.violation(
            &rules::UDF_BODY,
            format!("the body contains {}", parser.peek().describe()),
        );
    }
    parser.open_scope(Position::Outermost);
    parser.in_clause(Clause::Scalar, Parser::expression)?;
    parser.alias("an alias")?;
    parser.eat_symbol(";");
    if parser.peek().kind != TokenKind::End {
        let message = format!("{} follows the expression of the body", parser.peek().describe());
        return parser.violation(&rules::UDF_BODY, message);
    }
    if parser.facts.reads_table {
        return Err(Violation::new(&rules::UDF_BODY, 0, "the body reads a table"));
    }
    if let Some((name, at)) = &parser.facts.leader_only {
        return Err(Violation::new(
            &rules::LEADER_NODE,
            *at,
            format!("the body calls the leader-node function `{name}`"),
        ));
    }
    Ok(parser.facts.udf_calls)
}
