//! Scripts: where one statement ends and the next begins, by Redshift's own lexical rules; and the literals of a statement.

use crate::lexer::{Kind, Lexer, unescaped};
use crate::parser::Parsed;

/// Cuts a script into statements: what stands between one `;` and the next, with blanks and comments as they are. Pieces without a statement are left out.
pub fn split(script: &str) -> Parsed<Vec<&str>> {
    let mut statements = Vec::new();
    let mut lexer = Lexer::new(script);
    let (mut start, mut empty) = (0, true);
    loop {
        let token = lexer.token()?;
        let ends = token.kind == Kind::End || token.is_sign(";");
        if !ends {
            empty = false;
            continue;
        }
        if !empty {
            statements.push(&script[start..token.at]);
        }
        if token.kind == Kind::End {
            return Ok(statements);
        }
        (start, empty) = (token.at + 1, true);
    }
}

/// The values of the plain string literals of a statement, in order, as Redshift reads them.
pub fn literals(statement: &str) -> Parsed<Vec<String>> {
    let mut lexer = Lexer::new(statement);
    let mut values = Vec::new();
    loop {
        let token = lexer.token()?;
        match token.kind {
            Kind::End => return Ok(values),
            Kind::Text => values.push(unescaped(token.text)),
            _ => {}
        }
    }
}

/// The statement with `literal` in place of each `$1`, `$2` …: how it would be sent, with other values.
pub fn fill_parameters(statement: &str, literal: &str) -> Parsed<String> {
    let mut lexer = Lexer::new(statement);
    let mut filled = String::with_capacity(statement.len());
    let mut copied = 0;
    loop {
        let token = lexer.token()?;
        if matches!(token.kind, Kind::Parameter | Kind::End) {
            filled.push_str(&statement[copied..token.at]);
            copied = token.at + token.text.len();
        }
        match token.kind {
            Kind::Parameter => filled.push_str(literal),
            Kind::End => return Ok(filled),
            _ => {}
        }
    }
}
