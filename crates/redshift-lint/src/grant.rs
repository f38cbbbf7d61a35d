//! GRANT and REVOKE in their basic forms: rights on tables, schemas, databases and functions, and roles for COPY and UNLOAD.

use crate::Form;
use crate::Refusal;
use crate::copy::is_role;
use crate::lexer::Kind;
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
    pub(crate) fn grant(&mut self) -> Parsed<Form> {
        self.expect("grant")?;
        if self.is("assumerole") {
            return self.assume_role("to", Form::Grant);
        }
        self.privileges_on()?;
        self.expect("to")?;
        self.list(|parser| {
            let user = parser.grantee()?;
            if user && parser.eat("with") {
                parser.expect_all(&["grant", "option"])?;
            }
            Ok(())
        })?;
        Ok(Form::Grant)
    }

    pub(crate) fn revoke(&mut self) -> Parsed<Form> {
        self.expect("revoke")?;
        if self.is("assumerole") {
            return self.assume_role("from", Form::Revoke);
        }
        self.eat_all(&["grant", "option", "for"]);
        self.privileges_on()?;
        self.expect("from")?;
        self.list(|parser| parser.grantee().map(drop))?;
        self.eat_any(&["restrict", "cascade"]);
        Ok(Form::Revoke)
    }

    /// A user, a role, a group or everybody; whether it is a user.
    fn grantee(&mut self) -> Parsed<bool> {
        if self.eat("public") {
            return Ok(false);
        }
        let user = if self.is("group") {
            self.take();
            false
        } else {
            !(self.is("role")
                && matches!(self.ahead(1).kind, Kind::Word | Kind::Quoted)
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
            self.list(|parser| {
                let at = parser.peek().at;
                let Some(privilege) = parser.eat_any(ALL) else {
                    return parser.refuse(
                        &rules::PRIVILEGE,
                        format!("{} is no right", parser.peek().shown()),
                    );
                };
                privileges.push((privilege, at));
                if parser.is_sign("(") && ["select", "update"].contains(&privilege) {
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
                    format!("{} is no right on this kind of object", privilege.to_uppercase());
                Err(Refusal::new(&rules::PRIVILEGE, *at, message))
            }
            None => Ok(()),
        }
    }

    /// What rights are given on; the rights that there are on it.
    fn granted_object(&mut self) -> Parsed<&'static [&'static str]> {
        if self.are(&["all", "tables", "in", "schema"])
            || self.are(&["all", "functions", "in", "schema"])
        {
            let tables = self.ahead(1).is_word("tables");
            (0..4).for_each(|_| _ = self.take());
            self.list(|parser| parser.name("a schema").map(drop))?;
            return Ok(if tables { TABLE } else { FUNCTION });
        }
        if self.eat("schema") {
            self.list(|parser| parser.name("a schema").map(drop))?;
            return Ok(SCHEMA);
        }
        if self.eat("database") {
            self.list(|parser| parser.name("a database").map(drop))?;
            return Ok(DATABASE);
        }
        if self.eat("function") {
            self.list(|parser| {
                parser.qualified("a function")?;
                parser.expect_sign("(")?;
                if !parser.is_sign(")") {
                    parser.list(|parser| parser.data_type().map(drop))?;
                }
                parser.expect_sign(")")
            })?;
            return Ok(FUNCTION);
        }
        self.eat("table");
        self.list(|parser| parser.qualified("a table").map(drop))?;
        Ok(TABLE)
    }

    fn assume_role(&mut self, word: &str, form: Form) -> Parsed<Form> {
        self.expect_all(&["assumerole", "on"])?;
        if self.eat_any(&["default", "all"]).is_none() {
            self.list(|parser| {
                let token = parser.peek();
                let role = parser.text("the ARN of a role")?;
                if is_role(&role) {
                    return Ok(());
                }
                Err(Refusal::new(
                    &rules::AUTHORIZATION,
                    token.at,
                    format!("{} is not the ARN of a role", token.shown()),
                ))
            })?;
        }
        self.expect(word)?;
        self.list(|parser| parser.grantee().map(drop))?;
        self.expect("for")?;
        self.list(|parser| {
            match parser.expect_any(&["all", "copy", "unload", "external", "create"])? {
                "external" => parser.expect("function"),
                "create" => parser.expect("model"),
                _ => Ok(()),
            }
        })?;
        Ok(form)
    }
}
