//! GRANT and REVOKE: privileges on tables, schemas, databases and functions, and ASSUMEROLE for
//! COPY and UNLOAD.

use crate::StatementKind;
use crate::Violation;
use crate::copy::is_role;
use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser};
use crate::rules;

const TABLE: &[&str] =
    &["select", "insert", "update", "delete", "drop", "references", "alter", "truncate"];
const DATABASE: &[&str] = &["create", "temporary", "temp", "usage"];
const SCHEMA: &[&str] = &["create", "usage", "alter", "drop"];
const FUNCTION: &[&str] = &["execute"];
const ALL: &[&str] = &[
    "select",
    "insert",
    "update",
    "delete",
    "drop",
    "references",
    "alter",
    "truncate",
    "create",
    "temporary",
    "temp",
    "usage",
    "execute",
];

impl Parser<'_> {
    pub(crate) fn grant(&mut self) -> Parsed<StatementKind> {
        self.expect("grant")?;
        if self.is("assumerole") {
            return self.assume_role("to", StatementKind::Grant);
        }
        self.privileges_on()?;
        self.expect("to")?;
        self.comma_separated(|parser| {
            let user = parser.grantee()?;
            if user && parser.eat("with") {
                parser.expect_sequence(&["grant", "option"])?;
            }
            Ok(())
        })?;
        Ok(StatementKind::Grant)
    }

    pub(crate) fn revoke(&mut self) -> Parsed<StatementKind> {
        self.expect("revoke")?;
        if self.is("assumerole") {
            return self.assume_role("from", StatementKind::Revoke);
        }
        self.eat_sequence(&["grant", "option", "for"]);
        self.privileges_on()?;
        self.expect("from")?;
        self.comma_separated(|parser| parser.grantee().map(drop))?;
        self.eat_any(&["restrict", "cascade"]);
        Ok(StatementKind::Revoke)
    }

    /// Parses a user, role, group or PUBLIC. Returns true if it is a user.
    fn grantee(&mut self) -> Parsed<bool> {
        if self.eat("public") {
            return Ok(false);
        }
        let user = if self.is("group") {
            self.advance();
            false
        } else {
            // `role` can also be the name of a user.
            !(self.is("role")
                && matches!(self.peek_nth(1).kind, TokenKind::Word | TokenKind::QuotedName)
                && self.eat("role"))
        };
        self.name("a user")?;
        Ok(user)
    }

    fn privileges_on(&mut self) -> Parsed {
        let mut privileges = Vec::new();
        if self.eat("all") {
            self.eat("privileges");
        } else {
            self.comma_separated(|parser| {
                let at = parser.peek().at;
                let Some(privilege) = parser.eat_any(ALL) else {
                    return parser.violation(
                        &rules::PRIVILEGE,
                        format!("unknown privilege {}", parser.peek().describe()),
                    );
                };
                privileges.push((privilege, at));
                if parser.is_symbol("(") && ["select", "update"].contains(&privilege) {
                    parser.column_names()?;
                }
                Ok(())
            })?;
        }
        self.expect("on")?;
        let allowed = self.granted_object()?;
        match privileges.iter().find(|(privilege, _)| !allowed.contains(privilege)) {
            Some((privilege, at)) => {
                let message =
                    format!("this kind of object has no privilege {}", privilege.to_uppercase());
                Err(Violation::new(&rules::PRIVILEGE, *at, message))
            }
            None => Ok(()),
        }
    }

    /// Parses the objects after ON. Returns the privileges that exist for their kind.
    fn granted_object(&mut self) -> Parsed<&'static [&'static str]> {
        if self.is_sequence(&["all", "tables", "in", "schema"])
            || self.is_sequence(&["all", "functions", "in", "schema"])
        {
            let are_tables = self.peek_nth(1).is_word("tables");
            (0..4).for_each(|_| _ = self.advance());
            self.comma_separated(|parser| parser.name("a schema").map(drop))?;
            return Ok(if are_tables { TABLE } else { FUNCTION });
        }
        if self.eat("schema") {
            self.comma_separated(|parser| parser.name("a schema").map(drop))?;
            return Ok(SCHEMA);
        }
        if self.eat("database") {
            self.comma_separated(|parser| parser.name("a database").map(drop))?;
            return Ok(DATABASE);
        }
        if self.eat("function") {
            self.comma_separated(|parser| {
                parser.qualified_name("a function")?;
                parser.expect_symbol("(")?;
                if !parser.is_symbol(")") {
                    parser.comma_separated(|parser| parser.data_type().map(drop))?;
                }
                parser.expect_symbol(")")
            })?;
            return Ok(FUNCTION);
        }
        self.eat("table");
        self.comma_separated(|parser| parser.qualified_name("a table").map(drop))?;
        Ok(TABLE)
    }

    fn assume_role(&mut self, preposition: &str, kind: StatementKind) -> Parsed<StatementKind> {
        self.expect_sequence(&["assumerole", "on"])?;
        if self.eat_any(&["default", "all"]).is_none() {
            self.comma_separated(|parser| {
                let token = parser.peek();
                let role = parser.string_literal("the ARN of a role")?;
                if is_role(&role) {
                    return Ok(());
                }
                Err(Violation::new(
                    &rules::AUTHORIZATION,
                    token.at,
                    format!("{} is not the ARN of a role", token.describe()),
                ))
            })?;
        }
        self.expect(preposition)?;
        self.comma_separated(|parser| parser.grantee().map(drop))?;
        self.expect("for")?;
        self.comma_separated(|parser| {
            match parser.expect_any(&["all", "copy", "unload", "external", "create"])? {
                "external" => parser.expect("function"),
                "create" => parser.expect("model"),
                _ => Ok(()),
            }
        })?;
        Ok(kind)
    }
}
