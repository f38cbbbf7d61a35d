//! CREATE FUNCTION and DROP FUNCTION, for functions written in SQL.

use crate::Form;
use crate::Refusal;
use crate::lexer::Kind;
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::scope::Position;

const ARGUMENTS: usize = 32;

impl Parser<'_> {
    /// Behind `create [or replace]`.
    pub(crate) fn create_function(&mut self) -> Parsed<Form> {
        self.expect("function")?;
        let at = self.peek().at;
        let name = self.function_name()?;
        let count = self.argument_types()?;
        if count > ARGUMENTS {
            return Err(Refusal::new(
                &rules::UDF_FORM,
                at,
                format!("the function has {count} arguments"),
            ));
        }
        if !self.eat("returns") {
            return self.refuse(
                &rules::UDF_FORM,
                format!("{} stands where RETURNS should", self.peek().shown()),
            );
        }
        self.data_type()?;
        if self.eat_any(&["volatile", "stable", "immutable"]).is_none() {
            return self.refuse(
                &rules::UDF_FORM,
                "the function says neither VOLATILE, STABLE nor IMMUTABLE",
            );
        }
        if !self.eat("as") {
            return self.refuse(
                &rules::UDF_FORM,
                format!("{} stands where AS should", self.peek().shown()),
            );
        }
        let body = self.peek();
        if body.kind != Kind::Body {
            return self.refuse(&rules::UDF_FORM, "the body does not stand between `$$`");
        }
        self.take();
        if !(self.eat("language") && self.eat("sql")) {
            return self.refuse(&rules::UDF_FORM, "the function is not written in SQL");
        }
        let inner = &body.text[2..body.text.len() - 2];
        let calls = check_body(inner, count).map_err(|refusal| refusal.moved(body.at + 2))?;
        self.facts
            .calls
            .extend(calls.into_iter().map(|(name, count, at)| (name, count, at + body.at + 2)));
        self.facts.creates = Some((name, count));
        Ok(Form::CreateFunction)
    }

    fn function_name(&mut self) -> Parsed<String> {
        let at = self.peek().at;
        let name = self.qualified("the function's name")?;
        if !name.starts_with("f_") {
            return Err(Refusal::new(
                &rules::FUNCTION_NAME,
                at,
                format!("the function is called `{name}`"),
            ));
        }
        Ok(name)
    }

    fn argument_types(&mut self) -> Parsed<usize> {
        if self.is_sign("(") && self.ahead(1).is_sign(")") {
            self.take();
            self.take();
            return Ok(0);
        }
        self.parenthesised(|parser| {
            // `name type` is the form of Python's functions.
            if matches!(parser.ahead(1).kind, Kind::Word) && parser.names_an_argument() {
                return parser.refuse(&rules::UDF_FORM, "an argument has a name");
            }
            parser.data_type().map(drop)
        })
    }

    fn names_an_argument(&self) -> bool {
        let follows = ["precision", "varying", "with", "without"];
        !follows.iter().any(|word| self.ahead(1).is_word(word))
    }

    /// Behind DROP.
    pub(crate) fn drop_function(&mut self) -> Parsed<Form> {
        self.expect("function")?;
        if self.is("if") {
            return self.refuse(&rules::UDF_FORM, "IF EXISTS stands in a DROP FUNCTION");
        }
        self.function_name()?;
        if !self.is_sign("(") {
            return self.refuse(&rules::UDF_FORM, "a function is dropped without its types");
        }
        self.argument_types()?;
        self.eat_any(&["cascade", "restrict"]);
        Ok(Form::DropFunction)
    }
}

/// One SELECT of one expression; the calls that it makes of functions of one's own.
fn check_body(body: &str, arguments: usize) -> Parsed<Vec<(String, usize, usize)>> {
    let mut parser = Parser::new(body)?;
    parser.arguments = Some(u32::try_from(arguments).unwrap_or(u32::MAX));
    if !parser.eat("select") {
        return parser
            .refuse(&rules::UDF_BODY, format!("{} begins the body", parser.peek().shown()));
    }
    if parser.is_any(&["distinct", "all", "top"]) {
        return parser
            .refuse(&rules::UDF_BODY, format!("{} stands in the body", parser.peek().shown()));
    }
    parser.open_scope(Position::Outermost);
    parser.within(Clause::Plain, Parser::expression)?;
    parser.alias("an alias")?;
    parser.eat_sign(";");
    if parser.peek().kind != Kind::End {
        let message = format!("{} stands behind the body's expression", parser.peek().shown());
        return parser.refuse(&rules::UDF_BODY, message);
    }
    if parser.facts.table {
        return Err(Refusal::new(&rules::UDF_BODY, 0, "the body reads a table"));
    }
    if let Some((name, at)) = &parser.facts.leader {
        return Err(Refusal::new(
            &rules::LEADER_NODE,
            *at,
            format!("`{name}` stands in a function"),
        ));
    }
    Ok(parser.facts.calls)
}
