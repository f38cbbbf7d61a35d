//! Functions on SQL text that need only the lexer: splitting scripts, reading literals, filling in
//! parameters.

use crate::lexer::{Lexer, TokenKind, unescaped};
use crate::parser::Parsed;

/// Splits a script at each `;` by Redshift's lexical rules.
///
/// The pieces keep their blanks and comments. Pieces without a statement are omitted.
pub fn split(script: &str) -> Parsed<Vec<&str>> {
    let mut statements = Vec::new();
    let mut lexer = Lexer::new(script);
    let (mut start, mut empty) = (0, true);
    loop {
        let token = lexer.token()?;
        let is_separator = token.kind == TokenKind::End || token.is_symbol(";");
        if !is_separator {
            empty = false;
            continue;
        }
        if !empty {
            statements.push(&script[start..token.at]);
        }
        if token.kind == TokenKind::End {
            return Ok(statements);
        }
        (start, empty) = (token.at + 1, true);
    }
}

/// Returns the unescaped values of the string literals of a statement, in order.
pub fn literals(statement: &str) -> Parsed<Vec<String>> {
    let mut lexer = Lexer::new(statement);
    let mut values = Vec::new();
    loop {
        let token = lexer.token()?;
        match token.kind {
            TokenKind::End => return Ok(values),
            TokenKind::StringLiteral => values.push(unescaped(token.text)),
            _ => {}
        }
    }
}

/// Replaces each parameter (`$1`, `$2` …) of a statement with `literal`, to check a statement whose
/// values are not known yet.
pub fn fill_parameters(statement: &str, literal: &str) -> Parsed<String> {
    let mut lexer = Lexer::new(statement);
    let mut filled = String::with_capacity(statement.len());
    let mut copied = 0;
    loop {
        let token = lexer.token()?;
        if matches!(token.kind, TokenKind::Parameter | TokenKind::End) {
            filled.push_str(&statement[copied..token.at]);
            copied = token.at + token.text.len();
        }
        match token.kind {
            TokenKind::Parameter => filled.push_str(literal),
            TokenKind::End => return Ok(filled),
            _ => {}
        }
    }
}
